#include "client/fluxctl/ask.h"
#include "client/fluxctl/fluxctl.h"
#include "client/fluxctl/keys_table.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static enum fluxctl_exit explain(const struct fluxctl_arguments *arguments,
                                 struct fluxaws_client *client, const char *path, int error)
{
    if (error != -ENOENT)
        return fluxctl_explain_question(arguments, client, error);
    fprintf(stderr,
            "fluxctl: nothing that was reported from here is at '%s'\n"
            "Try: fluxctl keys, for what there is; fluxctl get %s, for what the cloud holds\n",
            path, path);
    return FLUXCTL_REFUSED;
}

/* The arrays of several answers become one. */
static void print_json(char *const *answers, int count)
{
    putchar('[');
    bool has_any = false;
    for (int i = 0; i < count; i++) {
        size_t size = strlen(answers[i]);
        if (size <= 2)
            continue;
        printf("%s%.*s", has_any ? "," : "", (int)(size - 2), answers[i] + 1);
        has_any = true;
    }
    puts("]");
}

/* All is asked before anything is printed: a failure leaves nothing on stdout. */
static enum fluxctl_exit ask(const struct fluxctl_arguments *arguments,
                             struct fluxaws_client *client, char **answers, int count)
{
    for (int i = 0; i < count; i++) {
        const char *path = arguments->operand_count > 0 ? arguments->operands[i] : NULL;
        int r = fluxaws_get_keys(client, path, arguments->timeout_ms, &answers[i]);
        if (r < 0)
            return explain(arguments, client, path != NULL ? path : "", r);
    }
    if (arguments->json)
        print_json(answers, count);
    else if (!fluxctl_print_keys(answers, count)) {
        fprintf(stderr, "fluxctl: out of memory\n");
        return FLUXCTL_REFUSED;
    }
    return FLUXCTL_DONE;
}

enum fluxctl_exit fluxctl_keys(const struct fluxctl_arguments *arguments)
{
    return fluxctl_ask(arguments, ask);
}
