#include "client/fluxctl/fluxctl.h"
#include "client/fluxctl/value.h"
#include "client/fluxctl/wait.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void explain_number(const char *argument, const struct fluxctl_value *value)
{
    char number[FLUXCTL_NUMBER_SIZE];
    fprintf(stderr,
            "fluxctl: %s: the number would not survive: the shadow would not show '%s'\nTry: ",
            argument, value->text);
    if (fluxctl_value_number(value->text, number))
        fprintf(stderr, "'%.*s:=%s' for the number, or ", (int)value->path_size, argument, number);
    fprintf(stderr, "--string '%s' for the text\n", argument);
}

/* Everything on the command line is read before anything is sent or even connected. */
static enum fluxctl_exit check_argument(const char *argument, bool string)
{
    struct fluxctl_value value;
    int r = fluxctl_value_parse(argument, string, &value);
    if (r == 0)
        return FLUXCTL_DONE;
    if (r == -ERANGE)
        explain_number(argument, &value);
    else
        fprintf(stderr, "fluxctl: '%s' is not PATH=VALUE\nTry: fluxctl set battery.level=81.5\n",
                argument);
    return FLUXCTL_USAGE;
}

static int add_value(struct fluxaws_client *client, const char *path,
                     const struct fluxctl_value *value)
{
    switch (value->kind) {
    case FLUXCTL_VALUE_BOOL:
        return fluxaws_set_bool(client, path, value->boolean);
    case FLUXCTL_VALUE_INT64:
        return fluxaws_set_int64(client, path, value->int64);
    case FLUXCTL_VALUE_DOUBLE:
        return fluxaws_set_double(client, path, value->real);
    case FLUXCTL_VALUE_STRING:
        return fluxaws_set_string(client, path, value->text);
    case FLUXCTL_VALUE_JSON:
        return fluxaws_set_json(client, path, value->text);
    default:
        return -EINVAL;
    }
}

static int add_argument(struct fluxaws_client *client, const char *argument, bool string)
{
    struct fluxctl_value value;
    int r = fluxctl_value_parse(argument, string, &value);
    if (r < 0)
        return r;
    char *path = strndup(argument, value.path_size);
    if (path == NULL)
        return -ENOMEM;
    r = add_value(client, path, &value);
    free(path);
    return r;
}

static int add_settle(struct fluxaws_client *client, const char *argument)
{
    struct fluxctl_value value;
    (void)fluxctl_value_parse(argument, false, &value);
    char *path = strndup(argument, value.path_size);
    if (path == NULL)
        return -ENOMEM;
    int r = fluxaws_settle(client, path);
    free(path);
    return r;
}

/* All values of one command are one report: they are taken or refused together. */
static enum fluxctl_exit report(const struct fluxctl_arguments *arguments,
                                struct fluxaws_client *client)
{
    struct fluxctl_wait wait;
    enum fluxctl_exit exit = fluxctl_wait_begin(&wait, arguments, client);
    if (exit != FLUXCTL_DONE)
        return exit;
    (void)fluxaws_report_begin(client);
    for (int i = 0; i < arguments->operand_count; i++) {
        int r = add_argument(client, arguments->operands[i], arguments->string);
        if (r < 0)
            return fluxctl_explain_report(client, r);
    }
    for (int i = 0; i < arguments->operand_count && arguments->settle; i++) {
        int r = add_settle(client, arguments->operands[i]);
        if (r < 0)
            return fluxctl_explain_report(client, r);
    }
    int r = fluxaws_report_send(client);
    if (r < 0)
        return fluxctl_explain_report(client, r);
    return fluxctl_wait_end(&wait, true);
}

enum fluxctl_exit fluxctl_set(const struct fluxctl_arguments *arguments)
{
    for (int i = 0; i < arguments->operand_count; i++) {
        enum fluxctl_exit exit = check_argument(arguments->operands[i], arguments->string);
        if (exit != FLUXCTL_DONE)
            return exit;
    }
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit == FLUXCTL_DONE)
        exit = report(arguments, client);
    client = fluxaws_close(client);
    return exit;
}
