/* Documents as `PATH=VALUE` lines that `fluxctl set` takes back. */
#include "client/fluxctl/json_walk.h"
#include "client/fluxctl/output.h"
#include "client/fluxctl/value.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_MAX 64u

struct key {
    const char *text; /* without quotes, escapes as they are */
    size_t size;
};

struct place {
    const char *prefix;
    struct key keys[LEVELS_MAX];
    size_t depth; /* keys in use */
};

/* Tell whether the key can stand between dots. */
static bool is_plain_key(const struct key *key)
{
    if (key->size == 0 || key->text[0] == '-')
        return false;
    for (size_t i = 0; i < key->size; i++)
        if (strchr("./~=:\\\"' \t", key->text[i]) != NULL)
            return false;
    return true;
}

static void print_pointer_key(const struct key *key)
{
    putchar('/');
    for (size_t i = 0; i < key->size; i++) {
        char c = key->text[i];
        if (c == '\\' && i + 1 < key->size && strchr("\"\\/", key->text[i + 1]) != NULL)
            c = key->text[++i];
        if (c == '~')
            fputs("~0", stdout);
        else if (c == '/')
            fputs("~1", stdout);
        else
            putchar(c);
    }
}

static void print_path(const struct place *place)
{
    bool dotted = place->prefix[0] != '/';
    for (size_t i = 0; i < place->depth; i++)
        dotted = dotted && is_plain_key(&place->keys[i]);
    const char *prefix = place->prefix;
    if (dotted) {
        fputs(prefix, stdout);
        for (size_t i = 0; i < place->depth; i++)
            printf("%s%.*s", i > 0 || prefix[0] != '\0' ? "." : "", (int)place->keys[i].size,
                   place->keys[i].text);
        return;
    }
    if (prefix[0] != '\0' && prefix[0] != '/')
        putchar('/');
    for (const char *c = prefix; *c != '\0'; c++)
        putchar(prefix[0] != '/' && *c == '.' ? '/' : *c);
    for (size_t i = 0; i < place->depth; i++)
        print_pointer_key(&place->keys[i]);
}

/* Tell whether `PATH=text` would be read as this very value. */
static bool reads_back(const char *text, size_t size, bool is_string)
{
    if (memchr(text, '\\', size) != NULL || memchr(text, '\n', size) != NULL)
        return false;
    char *argument = malloc(size + 3);
    if (argument == NULL)
        return false;
    argument[0] = 'p';
    argument[1] = '=';
    memcpy(argument + 2, text, size);
    argument[size + 2] = '\0';
    struct fluxctl_value value;
    int r = fluxctl_value_parse(argument, false, &value);
    free(argument);
    return r == 0 && (value.kind == FLUXCTL_VALUE_STRING) == is_string;
}

static void print_leaf(const struct place *place, const struct json_walk *walk, bool is_string)
{
    print_path(place);
    if (reads_back(walk->text, walk->size, is_string))
        printf("=%.*s\n", (int)walk->size, walk->text);
    else if (is_string)
        printf(":=\"%.*s\"\n", (int)walk->size, walk->text);
    else
        printf(":=%.*s\n", (int)walk->size, walk->text);
}

static void print_json_leaf(struct place *place, struct json_walk *walk)
{
    json_walk_skip(walk);
    print_path(place);
    printf(":=%.*s\n", (int)walk->size, walk->text);
}

static bool is_empty_object(const struct json_walk *walk)
{
    return walk->text[1 + strspn(walk->text + 1, " \t\r\n")] == '}';
}

/* A key's place is left when its value is done: at the end of an object, one level up. */
static void leave(struct place *place)
{
    place->depth -= place->depth > 0 ? 1 : 0;
}

static void enter_object(struct place *place, struct json_walk *walk)
{
    bool is_top = place->depth == 0 && place->prefix[0] == '\0';
    if ((is_empty_object(walk) && !is_top) || place->depth == LEVELS_MAX) {
        print_json_leaf(place, walk);
        leave(place);
    }
}

void fluxctl_print_assignments(const char *prefix, const char *json)
{
    struct place place = {.prefix = prefix};
    struct json_walk walk;
    json_walk_init(&walk, json);
    for (;;) {
        switch (json_walk_next(&walk)) {
        case JSON_WALK_END:
            return;
        case JSON_WALK_KEY:
            place.keys[place.depth++] = (struct key){walk.text, walk.size};
            break;
        case JSON_WALK_BEGIN_OBJECT:
            enter_object(&place, &walk);
            break;
        case JSON_WALK_BEGIN_ARRAY:
            print_json_leaf(&place, &walk);
            leave(&place);
            break;
        case JSON_WALK_STRING:
            print_leaf(&place, &walk, true);
            leave(&place);
            break;
        case JSON_WALK_OTHER:
            print_leaf(&place, &walk, false);
            leave(&place);
            break;
        case JSON_WALK_END_OBJECT:
        case JSON_WALK_END_ARRAY:
            leave(&place);
            break;
        }
    }
}

void fluxctl_print_value(const char *path, const char *json)
{
    struct json_walk walk;
    json_walk_init(&walk, json);
    enum json_walk_event event = json_walk_next(&walk);
    if (event == JSON_WALK_BEGIN_OBJECT && !is_empty_object(&walk)) {
        fluxctl_print_assignments(path, json);
    } else if (event == JSON_WALK_STRING) {
        fluxctl_print_plain(walk.text, walk.size);
        putchar('\n');
    } else {
        puts(json);
    }
}
