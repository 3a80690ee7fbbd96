#include "client/fluxctl/output.h"
#include "client/fluxctl/json_walk.h"
#include <stdio.h>
#include <string.h>

void fluxctl_print_string(const char *text)
{
    putchar('"');
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            printf("\\%c", *c);
        else if (*c < 0x20)
            printf("\\u%04x", *c);
        else
            putchar(*c);
    }
    putchar('"');
}

void fluxctl_print_level(const struct fluxctl_arguments *arguments, const char *level,
                         int64_t version, bool deadband)
{
    bool has_version = arguments->wait == FLUXAWS_ACCEPTED && version > 0;
    if (arguments->json) {
        printf("{\"level\":\"%s\"", level);
        if (has_version)
            printf(",\"version\":%lld", (long long)version);
        puts(deadband ? ",\"deadband\":true}" : "}");
    } else if (has_version) {
        printf("%s at version %lld%s\n", level, (long long)version,
               deadband ? ", within the Deadband: the cloud keeps its value" : "");
    } else if (arguments->wait != FLUXAWS_QUEUED) {
        puts(level);
    }
}

void fluxctl_print_rejection(int code, const char *path, const char *text)
{
    printf("{\"level\":\"rejected\",\"code\":%d,\"path\":", code);
    fluxctl_print_string(path);
    fputs(",\"text\":", stdout);
    fluxctl_print_string(text);
    puts("}");
}

void fluxctl_print_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\\' && i + 1 < size && strchr("\"\\/", text[i + 1]) != NULL)
            i++;
        putchar(text[i]);
    }
}

/* ---- the outline ---- */

#define OUTLINE_DEPTH_MAX 64u

struct outline {
    unsigned depth;
    bool in_array[OUTLINE_DEPTH_MAX];
    bool after_key;
};

static void begin_line(struct outline *outline)
{
    if (outline->after_key)
        return;
    for (unsigned i = 1; i < outline->depth; i++)
        fputs("  ", stdout);
    if (outline->depth > 0 && outline->in_array[outline->depth - 1])
        fputs("-", stdout);
}

static void outline_begin(struct outline *outline, struct json_walk *walk, bool is_array)
{
    if (outline->depth > 0) {
        begin_line(outline);
        putchar('\n');
    }
    outline->after_key = false;
    if (outline->depth < OUTLINE_DEPTH_MAX)
        outline->in_array[outline->depth++] = is_array;
    else
        json_walk_skip(walk);
}

static void outline_leaf(struct outline *outline, const struct json_walk *walk)
{
    begin_line(outline);
    if (outline->depth > 0)
        putchar(' ');
    fluxctl_print_plain(walk->text, walk->size);
    putchar('\n');
    outline->after_key = false;
}

void fluxctl_print_outline(const char *json)
{
    struct outline outline = {0};
    struct json_walk walk;
    json_walk_init(&walk, json);
    for (;;) {
        switch (json_walk_next(&walk)) {
        case JSON_WALK_END:
            return;
        case JSON_WALK_BEGIN_OBJECT:
            outline_begin(&outline, &walk, false);
            break;
        case JSON_WALK_BEGIN_ARRAY:
            outline_begin(&outline, &walk, true);
            break;
        case JSON_WALK_END_OBJECT:
        case JSON_WALK_END_ARRAY:
            outline.depth -= outline.depth > 0 ? 1 : 0;
            break;
        case JSON_WALK_KEY:
            begin_line(&outline);
            fluxctl_print_plain(walk.text, walk.size);
            putchar(':');
            outline.after_key = true;
            break;
        case JSON_WALK_STRING:
        case JSON_WALK_OTHER:
            outline_leaf(&outline, &walk);
            break;
        }
    }
}
