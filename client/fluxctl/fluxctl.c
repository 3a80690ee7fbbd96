/* From the command line to the command, and what is the same for all of them. */
#include "client/fluxctl/fluxctl.h"
#include <stdio.h>
#include <string.h>

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
    static const struct {
        unsigned option;
        const char *reason;
    } refusals[] = {
        {FLUXCTL_OPTION_WAIT, "takes no --wait"},
        {FLUXCTL_OPTION_STRING, "takes no --string"},
        {FLUXCTL_OPTION_SECTION, "takes no --reported, --desired or --delta"},
        {FLUXCTL_OPTION_SETTLE, "takes no --settle"},
        {FLUXCTL_OPTION_REPLACE, "takes no --replace"},
        {FLUXCTL_OPTION_YES, "takes no --yes"},
        {FLUXCTL_OPTION_FOR, "takes no --for"},
        {FLUXCTL_OPTION_TIMEOUT, "takes no --timeout"},
    };
    unsigned foreign = arguments->given & ~command->options;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        if ((foreign & refusals[i].option) != 0)
            return usage(command, refusals[i].reason);
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
        fluxctl_print_help();
        return close_output(FLUXCTL_DONE);
    }
    if (arguments.command == NULL) {
        fprintf(stderr, "fluxctl: no command given\nTry: fluxctl --help\n");
        return FLUXCTL_USAGE;
    }
    const struct fluxctl_command *command = fluxctl_find_command(arguments.command);
    if (command == NULL) {
        fprintf(stderr, "fluxctl: there is no command '%s'\nTry: fluxctl --help\n",
                arguments.command);
        return FLUXCTL_USAGE;
    }
    if (arguments.help) {
        fluxctl_print_command_help(command);
        return close_output(FLUXCTL_DONE);
    }
    return close_output(run(command, &arguments));
}

int main(int argc, char **argv)
{
    return (int)run_program(argc, argv);
}
