#include "tests/unit/fake_shadow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All programs are one writer; what they do is written down. */
static struct {
    size_t writers;
    char story[512];
} fake;

void fake_programs_reset(void)
{
    memset(&fake, 0, sizeof(fake));
}

size_t fake_writers(void)
{
    return fake.writers;
}

const char *fake_writer_story(void)
{
    return fake.story;
}

static void tell(const char *text)
{
    const size_t used = strlen(fake.story);
    (void)snprintf(fake.story + used, sizeof(fake.story) - used, "%s", text);
}

/* ---- what the sessions call ---- */

int thing_writer_open(struct thing *thing, const struct writer_identity *identity, int64_t now_ms,
                      struct writer **ret_writer)
{
    (void)thing;
    (void)now_ms;
    fake.writers++;
    char text[512];
    (void)snprintf(text, sizeof(text), "open %s %u %s\n", identity->name, identity->uid,
                   identity->unit);
    tell(text);
    *ret_writer = (struct writer *)&fake;
    return 0;
}

void thing_writer_close(struct thing *thing, struct writer *writer, bool clean, int64_t now_ms)
{
    (void)thing;
    if (writer != (struct writer *)&fake || now_ms == 0)
        abort();
    fake.writers--;
    tell(clean ? "clean\n" : "gone\n");
}

int thing_writer_will(struct thing *thing, struct writer *writer, struct shadow *shadow,
                      const struct shadow_operation *operations, size_t count,
                      struct shadow_refusal *ret_refusal)
{
    (void)thing;
    (void)shadow;
    if (writer != (struct writer *)&fake)
        abort();
    if (fake_is_refused_now(ret_refusal))
        return SHADOW_REPORT_REFUSED;
    fake_remember("will", operations, count);
    return SHADOW_REPORT_QUEUED;
}
