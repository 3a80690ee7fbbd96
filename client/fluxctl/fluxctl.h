/* What the parts of fluxctl share: the command line, the exit codes, the commands. fluxctl is a
 * customer of fluxaws.h and knows nothing else of fluxaws. */
#ifndef FLUXCTL_FLUXCTL_H
#define FLUXCTL_FLUXCTL_H

#include "client/fluxaws.h"
#include <stdbool.h>
#include <stdint.h>

enum fluxctl_exit {
    FLUXCTL_DONE = 0,
    FLUXCTL_REFUSED = 1,       /* rejected, or cannot be done; the reason is on stderr */
    FLUXCTL_USAGE = 2,         /* and what is not there yet */
    FLUXCTL_NO_DAEMON = 3,     /* not reachable */
    FLUXCTL_TIMED_OUT = 4,     /* the report still stands */
    FLUXCTL_NO_PERMISSION = 5, /* on the socket, or by an access rule */
};

/* Options that only some commands take, as bits. */
enum fluxctl_option {
    FLUXCTL_OPTION_WAIT = 1 << 0,
    FLUXCTL_OPTION_TIMEOUT = 1 << 1,
    FLUXCTL_OPTION_STRING = 1 << 2,
    FLUXCTL_OPTION_SECTION = 1 << 3, /* --reported, --desired, --delta */
    FLUXCTL_OPTION_FOR = 1 << 4,
    FLUXCTL_OPTION_SETTLE = 1 << 5,
    FLUXCTL_OPTION_REPLACE = 1 << 6,
    FLUXCTL_OPTION_YES = 1 << 7,
};

struct fluxctl_arguments {
    const char *socket_path, *thing, *shadow; /* NULL: default */
    bool json, help, version;
    enum fluxaws_level wait;
    int timeout_ms;
    bool string;
    enum fluxaws_section section;
    bool settle, replace, yes;
    const char *replace_path; /* NULL: everything */
    unsigned for_sec;         /* 0: until told otherwise */
    unsigned given;           /* enum fluxctl_option */
    const char *command;      /* NULL: none */
    char **operands;          /* what follows the command */
    int operand_count;
};

struct fluxctl_command {
    const char *name;
    const char *synopsis; /* after the name */
    const char *summary;  /* a few words for the list of all */
    const char *help;
    unsigned options;               /* that it takes */
    int operands_min, operands_max; /* -1: any number */
    enum fluxctl_exit (*run)(const struct fluxctl_arguments *arguments);
};

/* commands.c: the table of them. Returns NULL for no such command. */
const struct fluxctl_command *fluxctl_find_command(const char *name);
/* Print what there is to say about all of them, or about one. */
void fluxctl_print_help(void);
void fluxctl_print_command_help(const struct fluxctl_command *command);

/* arguments.c: read the command line. Returns FLUXCTL_DONE, or FLUXCTL_USAGE with the reason on
 * stderr. */
enum fluxctl_exit fluxctl_parse(int argc, char **argv, struct fluxctl_arguments *ret_arguments);

/* connect.c: open the handle a command works with. Returns FLUXCTL_DONE, or the exit code with
 * cause and next step on stderr. */
enum fluxctl_exit fluxctl_connect(const struct fluxctl_arguments *arguments,
                                  struct fluxaws_client **ret_client);
/* Say why the connection does not stand (`error` of fluxaws_open or fluxaws_is_connected). */
enum fluxctl_exit fluxctl_explain_connection(const struct fluxctl_arguments *arguments, int error);

/* The commands, a file each. */
enum fluxctl_exit fluxctl_set(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_unset(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_report(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_get(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_watch(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_keys(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_forget(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_reset(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_flush(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_status(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_metrics(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_history(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_reload(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_reconnect(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_pause(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_resume(const struct fluxctl_arguments *arguments);
enum fluxctl_exit fluxctl_log_level(const struct fluxctl_arguments *arguments);

#endif
