#include "client/fluxctl/json_walk.h"
#include <string.h>

void json_walk_init(struct json_walk *walk, const char *json)
{
    *walk = (struct json_walk){.next = json};
}

static enum json_walk_event take_one(struct json_walk *walk, enum json_walk_event event)
{
    walk->text = walk->next++;
    walk->size = 1;
    return event;
}

static enum json_walk_event take_string(struct json_walk *walk)
{
    const char *c = walk->next + 1;
    walk->text = c;
    while (*c != '\0' && *c != '"')
        c += *c == '\\' && c[1] != '\0' ? 2 : 1;
    walk->size = (size_t)(c - walk->text);
    if (*c == '"')
        c++;
    c += strspn(c, " \t\r\n");
    walk->next = c;
    return *c == ':' ? JSON_WALK_KEY : JSON_WALK_STRING;
}

enum json_walk_event json_walk_next(struct json_walk *walk)
{
    walk->next += strspn(walk->next, " \t\r\n,:");
    switch (*walk->next) {
    case '\0':
        return JSON_WALK_END;
    case '{':
        return take_one(walk, JSON_WALK_BEGIN_OBJECT);
    case '}':
        return take_one(walk, JSON_WALK_END_OBJECT);
    case '[':
        return take_one(walk, JSON_WALK_BEGIN_ARRAY);
    case ']':
        return take_one(walk, JSON_WALK_END_ARRAY);
    case '"':
        return take_string(walk);
    default:
        walk->text = walk->next;
        walk->size = strcspn(walk->next, " \t\r\n,:{}[]\"");
        walk->next += walk->size;
        return JSON_WALK_OTHER;
    }
}

void json_walk_skip(struct json_walk *walk)
{
    const char *begin = walk->text;
    size_t depth = 1;
    while (depth > 0) {
        enum json_walk_event event = json_walk_next(walk);
        if (event == JSON_WALK_END)
            break;
        if (event == JSON_WALK_BEGIN_OBJECT || event == JSON_WALK_BEGIN_ARRAY)
            depth++;
        if (event == JSON_WALK_END_OBJECT || event == JSON_WALK_END_ARRAY)
            depth--;
    }
    walk->text = begin;
    walk->size = (size_t)(walk->next - begin);
}
