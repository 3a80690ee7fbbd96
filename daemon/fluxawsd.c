#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/config_file.h"
#include "daemon/config_name.h"
#include "daemon/config_places.h"
#include "daemon/credential_paths.h"
#include "daemon/daemon.h"
#include "daemon/debug_hooks.h"
#include "daemon/message_ids.h"
#include "daemon/mqtt/credentials.h"
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum exit_code {
    EXIT_OK = 0,
    EXIT_RUNTIME = 1,
    EXIT_USAGE = 2,
    EXIT_BAD_CONFIG = 78, /* EX_CONFIG; the unit does not restart on it */
};

/* What run() returns to have all done again. */
#define RUN_AGAIN (-1)

enum task { TASK_RUN, TASK_CHECK, TASK_PRINT };

struct command {
    enum task task;
    struct daemon_options options;
    int exit_code; /* -1: go on */
};

static void print_help(FILE *stream)
{
    (void)fprintf(stream,
                  "usage: fluxawsd [OPTION]...\n"
                  "Keep this device's AWS IoT shadow in line with what local programs report.\n\n"
                  "  --config FILE      the configuration (default: %s)\n"
                  "  --check-config     say what is wrong with it, and exit\n"
                  "  --print-config     print every value and where it comes from, and exit\n"
                  "  --log-level LEVEL  error, warning, notice, info or debug; wins over the file\n"
                  "  --version          print the version, and exit\n"
                  "  --help             print this, and exit\n",
                  CONFIG_FILE_DEFAULT);
}

static int complain(const char *format, const char *detail)
{
    (void)fprintf(stderr, "fluxawsd: ");
    (void)fprintf(stderr, "%s%s\n", format, detail);
    (void)fprintf(stderr, "Try 'fluxawsd --help'.\n");
    return EXIT_USAGE;
}

static struct command command_parse(int argc, char **argv)
{
    enum { CONFIG = 1, CHECK, PRINT, LEVEL, VERSION, HELP };
    static const struct option options[] = {
        {"config", required_argument, NULL, CONFIG},
        {"check-config", no_argument, NULL, CHECK},
        {"print-config", no_argument, NULL, PRINT},
        {"log-level", required_argument, NULL, LEVEL},
        {"version", no_argument, NULL, VERSION},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    struct command command = {
        .options = {.config_file = CONFIG_FILE_DEFAULT, .log_level = -1},
        .exit_code = -1,
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case CONFIG:
            command.options.config_file = optarg;
            break;
        case CHECK:
            command.task = TASK_CHECK;
            break;
        case PRINT:
            command.task = TASK_PRINT;
            break;
        case LEVEL:
            if (log_level_parse(optarg, &command.options.log_level) < 0)
                command.exit_code = complain("unknown log level: ", optarg);
            break;
        case VERSION:
            (void)puts("fluxawsd " FLUX_VERSION);
            command.exit_code = EXIT_OK;
            return command;
        case HELP:
            print_help(stdout);
            command.exit_code = EXIT_OK;
            return command;
        default:
            (void)fprintf(stderr, "Try 'fluxawsd --help'.\n");
            command.exit_code = EXIT_USAGE;
            return command;
        }
    }
    if (optind < argc && command.exit_code < 0)
        command.exit_code = complain("unexpected argument: ", argv[optind]);
    return command;
}

static void print_problems(const struct config *config, FILE *stream)
{
    for (size_t i = 0; i < config->problem_count; i++) {
        const struct config_problem *problem = &config->problems[i];
        if (problem->file)
            (void)fprintf(stream, "%s:", problem->file);
        if (problem->file && problem->line > 0)
            (void)fprintf(stream, "%u:", problem->line);
        (void)fprintf(stream, "%s%s%s\n", problem->file ? " " : "", problem->text,
                      problem->severity == CONFIG_NOTE ? " (no error)" : "");
    }
}

/* What keeps the link from dialling is no mistake in a file: the daemon waits for it. */
static void print_credentials(const struct config *config, const struct daemon_options *options)
{
    struct credential_paths paths;
    credential_paths_find(&paths, config, options->state_directory, options->credentials_directory);
    const struct credentials_paths borrowed = credential_paths_borrow(&paths);
    struct credentials credentials;
    credentials_check(&borrowed, clock_wall_sec(), &credentials);
    if (credentials.text[0] != '\0')
        (void)fprintf(stderr, "%s (no error: the daemon starts and waits)\n", credentials.text);
}

/* What --check-config ends with. */
static int judge(const struct config *config, int load_result)
{
    if (load_result < 0 || config_has_problem(config, CONFIG_MISSING))
        return EXIT_BAD_CONFIG;
    const bool has_mistake = config_is_degraded(config) ||
                             config_has_problem(config, CONFIG_UNKNOWN) ||
                             config_has_problem(config, CONFIG_BAD_PLACE);
    return has_mistake ? EXIT_RUNTIME : EXIT_OK;
}

static int run(struct config *config, const char *thing_name, const struct daemon_options *options)
{
    struct daemon *daemon;
    int r = daemon_new(&daemon, config, thing_name, options);
    if (r < 0)
        return EXIT_RUNTIME;
    r = daemon_run(daemon);
    if (r < 0)
        log_error("the event loop failed: %s", strerror(-r));
    const int code = r < 0 ? EXIT_RUNTIME : r == DAEMON_STARTS_OVER ? RUN_AGAIN : EXIT_OK;
    if (!daemon_free(daemon)) {
        (void)fflush(NULL);
        _exit(code == RUN_AGAIN ? EXIT_RUNTIME : code); /* a thread is still at work: exit handlers
                                                           would pull OpenSSL from under it */
    }
    return code;
}

static void tell_cannot_start(const char *config_file)
{
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_CANNOT_START},
                                       {"CONFIG_FILE", config_file}};
    log_event(LOG_ERR, fields, 2, "cannot start with %s", config_file);
}

static int perform(const struct command *command)
{
    struct config config;
    int r = config_load(&config, command->options.config_file, command->options.state_directory);
    if (r == -ENOMEM) {
        (void)fprintf(stderr, "fluxawsd: out of memory\n");
        return EXIT_RUNTIME;
    }
    char thing_name[FLUX_THING_NAME_MAX + 1] = "";
    if (r == 0)
        (void)config_resolve_name(&config, command->options.state_directory,
                                  command->options.credentials_directory, thing_name);
    if (r == 0 && command->task == TASK_CHECK)
        (void)config_check_places(&config, command->options.state_directory);
    int code = judge(&config, r);
    switch (command->task) {
    case TASK_CHECK:
        print_problems(&config, stderr);
        if (code != EXIT_BAD_CONFIG)
            print_credentials(&config, &command->options);
        else
            (void)fprintf(stderr, "fluxawsd cannot start with %s\n", command->options.config_file);
        break;
    case TASK_PRINT:
        print_problems(&config, stderr);
        if (thing_name[0] != '\0')
            (void)printf("# The thing's name is %s.\n", thing_name);
        config_print(&config, stdout);
        code = r < 0 ? EXIT_BAD_CONFIG : EXIT_OK;
        break;
    case TASK_RUN:
        daemon_apply_log_level(&config, &command->options);
        daemon_log_problems(&config);
        if (code == EXIT_BAD_CONFIG)
            tell_cannot_start(command->options.config_file);
        else
            code = run(&config, thing_name, &command->options);
        break;
    }
    config_clear(&config);
    return code;
}

/* An arena of memory for each thread grows with each connection that one of them makes and another
 * ends, until all have been as large as the largest. Four of five threads hardly ever allocate. */
static void share_memory(void)
{
#ifdef M_ARENA_MAX
    (void)mallopt(M_ARENA_MAX, 1);
#endif
}

int main(int argc, char **argv)
{
    share_memory();
    credentials_prepare();
    debug_hooks_install();
    struct command command = command_parse(argc, argv);
    if (command.exit_code >= 0)
        return command.exit_code;
    const char *state_directory = getenv("STATE_DIRECTORY");
    command.options.state_directory = state_directory ? state_directory : FLUX_STATE_DIRECTORY;
    command.options.credentials_directory = getenv("CREDENTIALS_DIRECTORY");
    int code;
    do
        code = perform(&command);
    while (code == RUN_AGAIN);
    return code;
}
