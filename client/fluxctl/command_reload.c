#include "client/fluxctl/ask.h"
#include "client/fluxctl/fluxctl.h"
#include "client/fluxctl/json_walk.h"
#include "client/fluxctl/output.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lists of the answer, in the order in which they stand there, and what each is for people. */
static const struct {
    const char *key, *prefix;
} lists[] = {
    {"changed", "changed: "},
    {"needs_restart", "needs a restart: "},
    {"problems", "problem: "},
};

static const char *prefix_of(const struct json_walk *key)
{
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (strlen(lists[i].key) == key->size && memcmp(lists[i].key, key->text, key->size) == 0)
            return lists[i].prefix;
    return NULL;
}

static void print_answer(const char *json)
{
    const char *prefix = NULL;
    struct json_walk walk;
    json_walk_init(&walk, json);
    for (;;) {
        switch (json_walk_next(&walk)) {
        case JSON_WALK_END:
            return;
        case JSON_WALK_KEY:
            prefix = prefix_of(&walk);
            break;
        case JSON_WALK_STRING:
            if (prefix == NULL)
                break;
            fputs(prefix, stdout);
            fluxctl_print_plain(walk.text, walk.size);
            putchar('\n');
            break;
        case JSON_WALK_BEGIN_OBJECT:
        case JSON_WALK_END_OBJECT:
        case JSON_WALK_BEGIN_ARRAY:
        case JSON_WALK_END_ARRAY:
        case JSON_WALK_OTHER:
            break;
        }
    }
}

static enum fluxctl_exit explain(const struct fluxctl_arguments *arguments,
                                 struct fluxaws_client *client, int error)
{
    if (error != -EINVAL)
        return fluxctl_explain_question(arguments, client, error);
    fprintf(stderr,
            "fluxctl: not reloaded, the old configuration stays in force: %s\n"
            "Try: fluxawsd --check-config, as root, for all mistakes\n",
            fluxaws_error_text(client));
    return FLUXCTL_REFUSED;
}

enum fluxctl_exit fluxctl_reload(const struct fluxctl_arguments *arguments)
{
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit != FLUXCTL_DONE)
        return exit;
    char *json = NULL;
    int r = fluxaws_reload(client, arguments->timeout_ms, &json);
    if (r < 0)
        exit = explain(arguments, client, r);
    else if (arguments->json)
        puts(json);
    else
        print_answer(json);
    free(json);
    client = fluxaws_close(client);
    return exit;
}
