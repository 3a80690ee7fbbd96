#include "client/fluxctl/ask.h"
#include "client/fluxctl/fluxctl.h"
#include "client/fluxctl/output.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static enum fluxctl_exit explain(const struct fluxctl_arguments *arguments,
                                 struct fluxaws_client *client, const char *path, int error)
{
    static const char *const names[] = {"reported", "desired", "delta"};
    if (error == -ENOENT) {
        fprintf(stderr, "fluxctl: nothing at '%s' in %s\n", path, names[arguments->section]);
        return FLUXCTL_REFUSED;
    }
    if (error == -EOPNOTSUPP) {
        fprintf(stderr, "fluxctl: this daemon does not serve --%s\nTry: update fluxawsd\n",
                names[arguments->section]);
        return FLUXCTL_REFUSED;
    }
    return fluxctl_explain_question(arguments, client, error);
}

/* Print one answer: alone as what it is; among several with its path. */
static void print(const struct fluxctl_arguments *arguments, const char *path, const char *json,
                  int index)
{
    bool is_one_of_many = arguments->operand_count > 1;
    if (!arguments->json) {
        if (is_one_of_many)
            fluxctl_print_assignments(path, json);
        else if (path != NULL)
            fluxctl_print_value(path, json);
        else
            fluxctl_print_assignments("", json);
        return;
    }
    if (is_one_of_many) {
        putchar(index == 0 ? '{' : ',');
        fluxctl_print_string(path);
        putchar(':');
    }
    fputs(json, stdout);
}

/* All is asked before anything is printed: a failure leaves nothing on stdout. */
static enum fluxctl_exit ask(const struct fluxctl_arguments *arguments,
                             struct fluxaws_client *client, char **answers, int count)
{
    for (int i = 0; i < count; i++) {
        const char *path = arguments->operand_count > 0 ? arguments->operands[i] : NULL;
        int r = fluxaws_get(client, arguments->section, path, arguments->timeout_ms, &answers[i]);
        /* A device that has reported nothing yet has an empty state, not a missing one. */
        if (r == -ENOENT && path == NULL && (answers[i] = strdup("{}")) != NULL)
            continue;
        if (r < 0)
            return explain(arguments, client, path != NULL ? path : "", r);
    }
    for (int i = 0; i < count; i++)
        print(arguments, arguments->operand_count > 0 ? arguments->operands[i] : NULL, answers[i],
              i);
    if (arguments->json)
        puts(count > 1 ? "}" : "");
    return FLUXCTL_DONE;
}

enum fluxctl_exit fluxctl_get(const struct fluxctl_arguments *arguments)
{
    return fluxctl_ask(arguments, ask);
}
