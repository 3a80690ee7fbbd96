#include "daemon/shadow/thing_private.h"

void thing_begin_save(struct thing *thing)
{
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow)))
        shadow_renew_prepared(shadow);
}

bool thing_next_unsaved(struct thing *thing, struct saved_row *ret_row)
{
    (void)thing;
    (void)ret_row;
    return false;
}

void thing_end_save(struct thing *thing, bool is_stored, int64_t now_ms)
{
    (void)thing;
    (void)is_stored;
    (void)now_ms;
}

void thing_save_all(struct thing *thing)
{
    (void)thing;
}

bool thing_has_unsaved(const struct thing *thing)
{
    (void)thing;
    return false;
}

bool thing_has_unsaved_reports(const struct thing *thing)
{
    (void)thing;
    return false;
}

int thing_restore(struct thing *thing, const struct saved_row *row, int64_t now_ms)
{
    (void)thing;
    (void)row;
    (void)now_ms;
    return 0;
}

void thing_restored(struct thing *thing, int64_t now_ms)
{
    (void)thing;
    (void)now_ms;
}
