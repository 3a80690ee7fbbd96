/* The commands and their help. */
#include "client/fluxctl/fluxctl.h"
#include <stdio.h>
#include <string.h>

#define REPORT_OPTIONS (FLUXCTL_OPTION_WAIT | FLUXCTL_OPTION_TIMEOUT)
#define WAIT_HELP                                                                                  \
    "  --wait LEVEL    end when the report has reached LEVEL: queued (the daemon holds it; the\n"  \
    "                  default), stored (on disk) or accepted (by the shadow service)\n"           \
    "  --timeout SEC   give up waiting after SEC seconds (30); the report still stands\n"

static const struct fluxctl_command commands[] = {
    {"set", "PATH=VALUE… [--wait LEVEL] [--timeout SEC] [--string]",
     "Report values, all in one report.\n\n"
     "PATH is keys with dots between them (battery.level) or, with a leading '/', a JSON Pointer.\n"
     "VALUE is true, false, a number as the shadow shows it, or else a string. PATH:=JSON takes\n"
     "any JSON: objects are merged, arrays replace, null removes.\n\n" WAIT_HELP
     "  --string        take every VALUE as a string\n",
     REPORT_OPTIONS | FLUXCTL_OPTION_STRING | FLUXCTL_OPTION_LATER, 1, -1, fluxctl_set},
    {"unset", "PATH… [--wait LEVEL] [--timeout SEC]",
     "Remove properties, with all below them (null in the shadow).\n\n" WAIT_HELP, REPORT_OPTIONS,
     1, -1, fluxctl_unset},
    {"report", "[FILE] [--wait LEVEL] [--timeout SEC]",
     "Report JSON objects from FILE or stdin, one after another; each is merged into the reported\n"
     "state.\n\n" WAIT_HELP,
     REPORT_OPTIONS | FLUXCTL_OPTION_LATER, 0, 1, fluxctl_report},
    {"get", "[PATH…] [--reported|--desired|--delta]",
     "Print what the daemon knows now: one value alone, several as PATH=VALUE lines.\n\n"
     "  --reported      what the device reported (the default)\n"
     "  --desired       what the cloud wants\n"
     "  --delta         where the two differ\n",
     FLUXCTL_OPTION_SECTION | FLUXCTL_OPTION_TIMEOUT, 0, -1, fluxctl_get},
    {"watch", "[PATH…]", "Print desired values that differ, as they change.\n", 0, 0, -1, NULL},
    {"keys", "[PATH…]", "Print every property: value, where it stands, age, writer, last answer.\n",
     0, 0, -1, NULL},
    {"flush", "[--timeout SEC]",
     "Send now, and wait until everything is accepted.\n\n"
     "  --timeout SEC   give up waiting after SEC seconds (30)\n",
     FLUXCTL_OPTION_TIMEOUT, 0, 0, fluxctl_flush},
    {"forget", "PATH…", "Drop properties from the device and leave the cloud alone.\n", 0, 1, -1,
     NULL},
    {"reset", "--yes", "Null all that this device reported, then empty the local state.\n",
     FLUXCTL_OPTION_LATER, 0, 0, NULL},
    {"status", "", "Print how the daemon and its link stand.\n", FLUXCTL_OPTION_TIMEOUT, 0, 0,
     fluxctl_status},
    {"metrics", "", "Print the counters in OpenMetrics text.\n", 0, 0, 0, NULL},
    {"history", "", "Print the last link events.\n", 0, 0, 0, NULL},
    {"reload", "", "Read configuration and credentials again.\n", 0, 0, 0, NULL},
    {"reconnect", "", "Drop the link and dial again.\n", 0, 0, 0, NULL},
    {"pause", "", "Send nothing until resume.\n", 0, 0, 0, NULL},
    {"resume", "", "Send again after pause.\n", 0, 0, 0, NULL},
    {"log-level", "LEVEL [--for T]", "Change the daemon's log level.\n", FLUXCTL_OPTION_LATER, 1, 1,
     NULL},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
    puts("fluxctl [--socket PATH] [--thing NAME] [--shadow NAME] [--json] COMMAND …\n"
         "Report device state to fluxawsd, and ask how it stands.\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %s%s%s%s\n", commands[i].name, commands[i].synopsis[0] != '\0' ? " " : "",
               commands[i].synopsis, commands[i].run == NULL ? "   (not yet)" : "");
    puts("\n"
         "  --socket PATH   the daemon's socket (/run/fluxaws/fluxawsd.sock, or $FLUXAWS_SOCKET)\n"
         "  --thing NAME    another thing of a gateway (not yet)\n"
         "  --shadow NAME   a named shadow (not yet)\n"
         "  --json          print JSON with stable names\n"
         "  --help          this text; after a COMMAND, what it does\n"
         "  --version       the version\n\n"
         "Exit codes: 0 done; 1 rejected or refused; 2 usage; 3 daemon not reachable;\n"
         "4 timed out (the report still stands); 5 no permission.");
}

static void print_command_help(const struct fluxctl_command *command)
{
    printf("fluxctl %s %s\n%s", command->name, command->synopsis, command->help);
    if (command->run == NULL)
        puts("\nNot yet: this version does not have it.");
}

static const struct fluxctl_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static enum fluxctl_exit usage(const struct fluxctl_command *command, const char *reason)
{
    fprintf(stderr, "fluxctl: %s: %s\nTry: fluxctl %s --help\n", command->name, reason,
            command->name);
    return FLUXCTL_USAGE;
}

/* Check how many operands there are, and run. */
static enum fluxctl_exit check_operands(const struct fluxctl_command *command,
                                        const struct fluxctl_arguments *arguments)
{
    char reason[256];
    if (arguments->operand_count < command->operands_min) {
        int name_size = (int)strcspn(command->synopsis, " \xe2"); /* up to the ellipsis */
        (void)snprintf(reason, sizeof(reason), "%.*s is missing", name_size, command->synopsis);
        return usage(command, reason);
    }
    if (command->operands_max >= 0 && arguments->operand_count > command->operands_max) {
        (void)snprintf(reason, sizeof(reason), "'%.200s' is too much",
                       arguments->operands[command->operands_max]);
        return usage(command, reason);
    }
    return command->run(arguments);
}

static enum fluxctl_exit run(const struct fluxctl_command *command,
                             const struct fluxctl_arguments *arguments)
{
    unsigned foreign = arguments->given & ~command->options;
    if ((foreign & FLUXCTL_OPTION_WAIT) != 0)
        return usage(command, "takes no --wait");
    if ((foreign & FLUXCTL_OPTION_STRING) != 0)
        return usage(command, "takes no --string");
    if ((foreign & FLUXCTL_OPTION_SECTION) != 0)
        return usage(command, "takes no --reported, --desired or --delta");
    if (command->run != NULL && (foreign & FLUXCTL_OPTION_LATER) != 0)
        return usage(command, "takes no such option");
    if (command->run == NULL) {
        fprintf(stderr, "fluxctl: %s: not yet: this version does not have it\n", command->name);
        return FLUXCTL_USAGE;
    }
    if (arguments->later != NULL) {
        fprintf(stderr, "fluxctl: %s %s: not yet: this version does not have it\n", command->name,
                arguments->later);
        return FLUXCTL_USAGE;
    }
    if ((foreign & FLUXCTL_OPTION_TIMEOUT) != 0)
        return usage(command, "takes no --timeout");
    return check_operands(command, arguments);
}

/* What could not be written was not done: a full disk behind a redirection must not pass for
 * success. */
static enum fluxctl_exit close_output(enum fluxctl_exit exit)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return exit;
    perror("fluxctl: writing");
    return exit == FLUXCTL_DONE ? FLUXCTL_REFUSED : exit;
}

static enum fluxctl_exit run_program(int argc, char **argv)
{
    struct fluxctl_arguments arguments;
    if (fluxctl_parse(argc, argv, &arguments) != FLUXCTL_DONE) {
        fprintf(stderr, "Try: fluxctl --help\n");
        return FLUXCTL_USAGE;
    }
    if (arguments.version) {
        printf("fluxctl %s\n", fluxaws_version());
        return close_output(FLUXCTL_DONE);
    }
    if (arguments.command == NULL && arguments.help) {
        print_help();
        return close_output(FLUXCTL_DONE);
    }
    if (arguments.command == NULL) {
        fprintf(stderr, "fluxctl: no command given\nTry: fluxctl --help\n");
        return FLUXCTL_USAGE;
    }
    const struct fluxctl_command *command = find_command(arguments.command);
    if (command == NULL) {
        fprintf(stderr, "fluxctl: there is no command '%s'\nTry: fluxctl --help\n",
                arguments.command);
        return FLUXCTL_USAGE;
    }
    if (arguments.help) {
        print_command_help(command);
        return close_output(FLUXCTL_DONE);
    }
    return close_output(run(command, &arguments));
}

int main(int argc, char **argv)
{
    return (int)run_program(argc, argv);
}
