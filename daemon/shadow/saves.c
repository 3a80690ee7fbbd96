#include "daemon/shadow/saves.h"

static void append(struct save_list *list, struct save_mark *mark)
{
    mark->previous = list->last;
    mark->next = NULL;
    if (list->last)
        list->last->next = mark;
    else
        list->first = mark;
    list->last = mark;
}

static void take_out(struct save_list *list, struct save_mark *mark)
{
    if (mark->previous)
        mark->previous->next = mark->next;
    else
        list->first = mark->next;
    if (mark->next)
        mark->next->previous = mark->previous;
    else
        list->last = mark->previous;
    mark->previous = NULL;
    mark->next = NULL;
}

/* Leave whatever list it is in. */
static void leave(struct saves *saves, struct save_mark *mark)
{
    if (mark->place == SAVE_UNSAVED)
        take_out(&saves->unsaved, mark);
    if (mark->place >= SAVE_UNDER_WAY)
        take_out(&saves->under_way[mark->place - SAVE_UNDER_WAY], mark);
    mark->place = SAVE_CLEAN;
}

void saves_enter(struct saves *saves, struct save_mark *mark, enum saved_kind kind)
{
    /* The save under way may fail or not: what the disk will hold is open. */
    if (mark->place >= SAVE_UNDER_WAY)
        mark->hash = SAVE_HASH_UNKNOWN;
    leave(saves, mark);
    mark->kind = (uint64_t)kind & 3u;
    mark->place = SAVE_UNSAVED;
    append(&saves->unsaved, mark);
}

void saves_put_first(struct saves *saves, struct save_mark *mark)
{
    struct save_list *list = &saves->unsaved;
    if (mark->place != SAVE_UNSAVED || list->first == mark)
        return;
    take_out(list, mark);
    mark->next = list->first;
    list->first->previous = mark;
    list->first = mark;
}

void saves_skip(struct saves *saves, struct save_mark *mark)
{
    leave(saves, mark);
}

void saves_hand_out(struct saves *saves, struct save_mark *mark, unsigned save, uint64_t hash)
{
    leave(saves, mark);
    mark->hash = hash & SAVE_HASH_MASK;
    mark->place = (SAVE_UNDER_WAY + save) & 3u;
    append(&saves->under_way[save], mark);
    saves->has_rows = true;
}

struct save_mark *saves_next_stored(struct saves *saves, unsigned save)
{
    struct save_mark *mark = saves->under_way[save].first;
    if (!mark)
        return NULL;
    leave(saves, mark);
    if (mark->hash == SAVE_HASH_UNKNOWN)
        mark->hash = SAVE_HASH_NONE; /* it was handed out as gone */
    return mark;
}

void saves_fail(struct saves *saves, unsigned save)
{
    struct save_mark *mark;
    while ((mark = saves->under_way[save].first))
        saves_enter(saves, mark, (enum saved_kind)mark->kind);
}

void saves_forget(struct saves *saves, struct save_mark *mark)
{
    if (saves)
        leave(saves, mark);
}
