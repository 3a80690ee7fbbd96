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
    {"set", "PATH=VALUE… [--wait LEVEL] [--timeout SEC] [--string] [--settle]", "report values",
     "Report values, all in one report.\n\n"
     "PATH is keys with dots between them (battery.level) or, with a leading '/', a JSON Pointer.\n"
     "VALUE is true, false, a number as the shadow shows it, or else a string. PATH:=JSON takes\n"
     "any JSON: objects are merged, arrays replace, null removes.\n\n" WAIT_HELP
     "  --string        take every VALUE as a string\n"
     "  --settle        also remove what the cloud desires at these PATHs, as far as the daemon\n"
     "                  knows it now: done, or refused. A newer wish wins\n",
     REPORT_OPTIONS | FLUXCTL_OPTION_STRING | FLUXCTL_OPTION_SETTLE, 1, -1, fluxctl_set},
    {"unset", "PATH… [--wait LEVEL] [--timeout SEC]", "remove properties (null in the shadow)",
     "Remove properties, with all below them (null in the shadow).\n\n" WAIT_HELP, REPORT_OPTIONS,
     1, -1, fluxctl_unset},
    {"report", "[FILE] [--wait LEVEL] [--timeout SEC] [--replace [PATH]]",
     "report JSON objects from a file or stdin",
     "Report JSON objects from FILE or stdin, one after another; each is merged into the reported\n"
     "state.\n\n" WAIT_HELP
     "  --replace [PATH]  each object takes the place of all that is reported, or of what is at\n"
     "                  PATH: what it lacks is removed, also what others wrote\n",
     REPORT_OPTIONS | FLUXCTL_OPTION_REPLACE, 0, 1, fluxctl_report},
    {"get", "[PATH…] [--reported|--desired|--delta] [--timeout SEC]",
     "print what the daemon knows: reported, desired or delta",
     "Print what the daemon knows now: one value alone, several as PATH=VALUE lines.\n\n"
     "  --reported      what the device reported (the default)\n"
     "  --desired       what the cloud wants\n"
     "  --delta         where the two differ\n",
     FLUXCTL_OPTION_SECTION | FLUXCTL_OPTION_TIMEOUT, 0, -1, fluxctl_get},
    {"watch", "[PATH…]", "print what the cloud wants, now and as it comes",
     "Print the desired values that differ from the reported ones, those there are and then every\n"
     "change, one JSON object a line, until interrupted. A value null with \"differs\":false: it "
     "no\n"
     "longer differs.\n",
     0, 0, -1, fluxctl_watch},
    {"keys", "[PATH…] [--timeout SEC]", "print every property: value, where it stands, age, writer",
     "Print every property: value, where it stands, age, writer, last answer.\n",
     FLUXCTL_OPTION_TIMEOUT, 0, -1, fluxctl_keys},
    {"flush", "[--timeout SEC]", "send now, and wait until everything is accepted",
     "Send now, and wait until everything is accepted.\n\n"
     "  --timeout SEC   give up waiting after SEC seconds (30)\n",
     FLUXCTL_OPTION_TIMEOUT, 0, 0, fluxctl_flush},
    {"forget", "PATH… [--timeout SEC]", "drop properties from the device, leave the cloud alone",
     "Drop properties, with all below them, from the device, and leave the cloud alone.\n",
     FLUXCTL_OPTION_TIMEOUT, 1, -1, fluxctl_forget},
    {"reset", "--yes [--timeout SEC]", "remove from the cloud all that this device reported",
     "Null in the cloud all that this device reported, then empty the local state: of every "
     "shadow,\n"
     "or of the one that --thing and --shadow name.\n\n"
     "  --yes           do it; without, only say what would be done\n"
     "  --timeout SEC   give up waiting after SEC seconds (30); the daemon goes on\n",
     FLUXCTL_OPTION_YES | FLUXCTL_OPTION_TIMEOUT, 0, 0, fluxctl_reset},
    {"status", "[--timeout SEC]", "how it stands; first \"healthy\", or the one thing to do",
     "Print how daemon, link, shadows and clients stand; first \"healthy\", or the one\n"
     "thing to do.\n",
     FLUXCTL_OPTION_TIMEOUT, 0, 0, fluxctl_status},
    {"metrics", "[--timeout SEC]", "the figures of status as OpenMetrics text",
     "Print the figures of status as OpenMetrics text.\n", FLUXCTL_OPTION_TIMEOUT, 0, 0,
     fluxctl_metrics},
    {"history", "[--timeout SEC]", "the last 50 events of the link",
     "Print the last 50 events of the link, the newest last: when it came up, was lost or was "
     "tried\n"
     "in vain, how long it had been as it was before, what that connection carried, and why.\n",
     FLUXCTL_OPTION_TIMEOUT, 0, 0, fluxctl_history},
    {"reload", "[--timeout SEC]", "read configuration and credentials again",
     "Have configuration and credentials read again; programs stay connected. Prints what has\n"
     "changed, what needs a restart, and what is wrong with the files. A configuration with which\n"
     "the daemon could not start is refused (exit 1), and the old one stays in force.\n",
     FLUXCTL_OPTION_TIMEOUT, 0, 0, fluxctl_reload},
    {"reconnect", "[--timeout SEC]", "drop the link and dial again",
     "Have the link to the cloud dropped and dialled again. Ends before it is up: fluxctl "
     "status.\n",
     FLUXCTL_OPTION_TIMEOUT, 0, 0, fluxctl_reconnect},
    {"pause", "[--timeout SEC]", "hang up, and send nothing until resume",
     "Have the link hung up, and nothing dialled or sent until resume, or a restart of the "
     "daemon.\n"
     "Reports are taken as ever, and stored.\n",
     FLUXCTL_OPTION_TIMEOUT, 0, 0, fluxctl_pause},
    {"resume", "[--timeout SEC]", "end a pause",
     "End a pause; what has changed meanwhile is sent.\n", FLUXCTL_OPTION_TIMEOUT, 0, 0,
     fluxctl_resume},
    {"log-level", "LEVEL [--for T] [--timeout SEC]", "log from a level on, for good or for a time",
     "Have the daemon log from LEVEL on: error, warning, notice, info or debug.\n\n"
     "  --for T         go back to the configured level after T: 30s, 10m, 2h, 1d; without, with\n"
     "                  the next reload or restart\n",
     FLUXCTL_OPTION_FOR | FLUXCTL_OPTION_TIMEOUT, 1, 1, fluxctl_log_level},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

void fluxctl_print_help(void)
{
    puts("fluxctl [--socket PATH] [--thing NAME] [--shadow NAME] [--json] COMMAND …\n"
         "Report device state to fluxawsd, and ask how it stands.\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-11s%s\n", commands[i].name, commands[i].summary);
    puts("\n"
         "  --socket PATH   the daemon's socket (/run/fluxaws/fluxawsd.sock, or\n"
         "                  $FLUXAWS_SOCKET)\n"
         "  --thing NAME    another thing of a gateway ([Thing] Extra)\n"
         "  --shadow NAME   a named shadow\n"
         "  --json          print JSON with stable names\n"
         "  --help          this text; after a COMMAND, its arguments and what it does\n"
         "  --version       the version\n\n"
         "Exit codes: 0 done; 1 rejected or refused; 2 usage; 3 daemon not reachable;\n"
         "4 timed out (the report still stands); 5 no permission.");
}

void fluxctl_print_command_help(const struct fluxctl_command *command)
{
    printf("fluxctl %s %s\n%s", command->name, command->synopsis, command->help);
}

const struct fluxctl_command *fluxctl_find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}
