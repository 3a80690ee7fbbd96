#include "client/fluxctl/ask.h"
#include "client/fluxctl/fluxctl.h"
#include "client/fluxctl/metrics.h"
#include "client/fluxctl/status_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* 2020: a clock before it was never set. */
#define PLAUSIBLE_SEC INT64_C(1577836800)

static enum fluxctl_exit print_text(const char *json)
{
    const int64_t now_sec = (int64_t)time(NULL);
    const struct status_view view = {
        .screen = screen_of_stdout(),
        .now_sec = now_sec > PLAUSIBLE_SEC ? now_sec : 0,
        .own_pid = (int64_t)getpid(),
    };
    if (status_print(json, &view) == 0)
        return FLUXCTL_DONE;
    fputs("fluxctl: the answer cannot be shown\nTry: fluxctl --json status\n", stderr);
    return FLUXCTL_REFUSED;
}

static enum fluxctl_exit print_json(const char *json)
{
    puts(json);
    return FLUXCTL_DONE;
}

static enum fluxctl_exit print_metrics(const char *json)
{
    if (metrics_print(json, stdout) == 0)
        return FLUXCTL_DONE;
    fputs("fluxctl: the answer cannot be shown\nTry: fluxctl --json status\n", stderr);
    return FLUXCTL_REFUSED;
}

/* Ask for the document and have it printed. */
static enum fluxctl_exit show(const struct fluxctl_arguments *arguments,
                              enum fluxctl_exit (*print)(const char *json))
{
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit != FLUXCTL_DONE)
        return exit;
    char *json = NULL;
    int r = fluxaws_get_status(client, arguments->timeout_ms, &json);
    if (r < 0)
        exit = fluxctl_explain_question(arguments, client, r);
    else
        exit = print(json);
    free(json);
    client = fluxaws_close(client);
    return exit;
}

enum fluxctl_exit fluxctl_status(const struct fluxctl_arguments *arguments)
{
    return show(arguments, arguments->json ? print_json : print_text);
}

enum fluxctl_exit fluxctl_metrics(const struct fluxctl_arguments *arguments)
{
    if (!arguments->json)
        return show(arguments, print_metrics);
    fputs("fluxctl: metrics: takes no --json\nTry: fluxctl --json status\n", stderr);
    return FLUXCTL_USAGE;
}
