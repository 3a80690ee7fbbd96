#include "client/fluxctl/fluxctl.h"
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLUXCTL_FOR_SEC_MAX (366u * 86400u)

enum long_option {
    LONG_SOCKET = 256,
    LONG_THING,
    LONG_SHADOW,
    LONG_JSON,
    LONG_HELP,
    LONG_VERSION,
    LONG_WAIT,
    LONG_TIMEOUT,
    LONG_STRING,
    LONG_REPORTED,
    LONG_DESIRED,
    LONG_DELTA,
    LONG_SETTLE,
    LONG_REPLACE,
    LONG_YES,
    LONG_FOR,
};

static const struct option long_options[] = {
    {"socket", required_argument, NULL, LONG_SOCKET},
    {"thing", required_argument, NULL, LONG_THING},
    {"shadow", required_argument, NULL, LONG_SHADOW},
    {"json", no_argument, NULL, LONG_JSON},
    {"help", no_argument, NULL, LONG_HELP},
    {"version", no_argument, NULL, LONG_VERSION},
    {"wait", required_argument, NULL, LONG_WAIT},
    {"timeout", required_argument, NULL, LONG_TIMEOUT},
    {"string", no_argument, NULL, LONG_STRING},
    {"reported", no_argument, NULL, LONG_REPORTED},
    {"desired", no_argument, NULL, LONG_DESIRED},
    {"delta", no_argument, NULL, LONG_DELTA},
    {"settle", no_argument, NULL, LONG_SETTLE},
    {"replace", optional_argument, NULL, LONG_REPLACE},
    {"yes", no_argument, NULL, LONG_YES},
    {"for", required_argument, NULL, LONG_FOR},
    {NULL, 0, NULL, 0},
};

static enum fluxctl_exit parse_level(const char *text, enum fluxaws_level *ret_level)
{
    static const char *const names[] = {"queued", "stored", "accepted"};
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_level = (enum fluxaws_level)i;
            return FLUXCTL_DONE;
        }
    }
    fprintf(stderr, "fluxctl: --wait %s: the levels are queued, stored and accepted\n", text);
    return FLUXCTL_USAGE;
}

static enum fluxctl_exit parse_timeout(const char *text, int *ret_ms)
{
    char *end = NULL;
    errno = 0;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(seconds) || seconds < 0 ||
        seconds * 1000 > INT_MAX) {
        fprintf(stderr, "fluxctl: --timeout %s: not a number of seconds\n", text);
        return FLUXCTL_USAGE;
    }
    *ret_ms = (int)(seconds * 1000);
    return FLUXCTL_DONE;
}

static enum fluxctl_exit take_section(struct fluxctl_arguments *arguments,
                                      enum fluxaws_section section)
{
    if ((arguments->given & FLUXCTL_OPTION_SECTION) != 0 && arguments->section != section) {
        fprintf(stderr, "fluxctl: only one of --reported, --desired and --delta\n");
        return FLUXCTL_USAGE;
    }
    arguments->given |= FLUXCTL_OPTION_SECTION;
    arguments->section = section;
    return FLUXCTL_DONE;
}

/* 30s, 10m, 2h or 1d: a number without its unit is a mistake that nobody notices. */
static enum fluxctl_exit parse_duration(const char *text, unsigned *ret_sec)
{
    static const struct {
        char unit;
        unsigned sec;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end = NULL;
    errno = 0;
    const unsigned long count = strtoul(text, &end, 10);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (text[0] < '0' || text[0] > '9' || errno != 0 || count == 0 ||
            count > FLUXCTL_FOR_SEC_MAX / units[i].sec || end[0] != units[i].unit || end[1] != '\0')
            continue;
        *ret_sec = (unsigned)count * units[i].sec;
        return FLUXCTL_DONE;
    }
    fprintf(stderr, "fluxctl: --for %s: not a time such as 30s, 10m, 2h or 1d, at most 366d\n",
            text);
    return FLUXCTL_USAGE;
}

/* A PATH may follow as a word of its own. A file in its place would be a mistake with consequences:
 * the input would come from elsewhere. */
static enum fluxctl_exit take_replace(struct fluxctl_arguments *arguments, int argc, char **argv)
{
    arguments->given |= FLUXCTL_OPTION_REPLACE;
    arguments->replace = true;
    arguments->replace_path = optarg;
    if (optarg == NULL && optind < argc && argv[optind][0] != '-') {
        arguments->replace_path = argv[optind++];
        if (access(arguments->replace_path, F_OK) == 0) {
            fprintf(stderr,
                    "fluxctl: --replace %s: is '%s' the path to replace, or the file to read?\n"
                    "Try: fluxctl report %s --replace for the file, --replace=%s for the path\n",
                    arguments->replace_path, arguments->replace_path, arguments->replace_path,
                    arguments->replace_path);
            return FLUXCTL_USAGE;
        }
    }
    if (arguments->replace_path == NULL || arguments->replace_path[0] != '\0')
        return FLUXCTL_DONE;
    fprintf(stderr, "fluxctl: --replace: the path is empty\n"
                    "Try: --replace without a path, to replace everything\n");
    return FLUXCTL_USAGE;
}

static enum fluxctl_exit take_command_option(struct fluxctl_arguments *arguments, int option)
{
    switch (option) {
    case LONG_WAIT:
        arguments->given |= FLUXCTL_OPTION_WAIT;
        return parse_level(optarg, &arguments->wait);
    case LONG_TIMEOUT:
        arguments->given |= FLUXCTL_OPTION_TIMEOUT;
        return parse_timeout(optarg, &arguments->timeout_ms);
    case LONG_STRING:
        arguments->given |= FLUXCTL_OPTION_STRING;
        arguments->string = true;
        return FLUXCTL_DONE;
    case LONG_REPORTED:
        return take_section(arguments, FLUXAWS_REPORTED);
    case LONG_DESIRED:
        return take_section(arguments, FLUXAWS_DESIRED);
    case LONG_DELTA:
        return take_section(arguments, FLUXAWS_DELTA);
    case LONG_SETTLE:
        arguments->given |= FLUXCTL_OPTION_SETTLE;
        arguments->settle = true;
        return FLUXCTL_DONE;
    case LONG_YES:
        arguments->given |= FLUXCTL_OPTION_YES;
        arguments->yes = true;
        return FLUXCTL_DONE;
    case LONG_FOR:
        arguments->given |= FLUXCTL_OPTION_FOR;
        return parse_duration(optarg, &arguments->for_sec);
    default: /* getopt has said what is wrong */
        return FLUXCTL_USAGE;
    }
}

static enum fluxctl_exit take_option(struct fluxctl_arguments *arguments, int option)
{
    switch (option) {
    case LONG_SOCKET:
        arguments->socket_path = optarg;
        if (optarg[0] != '\0')
            return FLUXCTL_DONE;
        fprintf(stderr, "fluxctl: --socket: the path is empty\n");
        return FLUXCTL_USAGE;
    case LONG_THING:
        arguments->thing = optarg;
        return FLUXCTL_DONE;
    case LONG_SHADOW:
        arguments->shadow = optarg;
        return FLUXCTL_DONE;
    case LONG_JSON:
        arguments->json = true;
        return FLUXCTL_DONE;
    case LONG_HELP:
    case 'h':
        arguments->help = true;
        return FLUXCTL_DONE;
    case LONG_VERSION:
        arguments->version = true;
        return FLUXCTL_DONE;
    default:
        return take_command_option(arguments, option);
    }
}

enum fluxctl_exit fluxctl_parse(int argc, char **argv, struct fluxctl_arguments *ret_arguments)
{
    *ret_arguments = (struct fluxctl_arguments){
        .wait = FLUXAWS_QUEUED,
        .timeout_ms = 30000,
        .section = FLUXAWS_REPORTED,
    };
    int option;
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        enum fluxctl_exit r = option == LONG_REPLACE ? take_replace(ret_arguments, argc, argv)
                                                     : take_option(ret_arguments, option);
        if (r != FLUXCTL_DONE)
            return r;
    }
    if (optind < argc)
        ret_arguments->command = argv[optind++];
    ret_arguments->operands = argv + optind;
    ret_arguments->operand_count = argc - optind;
    return FLUXCTL_DONE;
}
