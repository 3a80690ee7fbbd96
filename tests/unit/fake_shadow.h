/* A shadow whose answers a test decides: in place of the engine for the tests of the sessions. */
#ifndef FLUXAWS_TESTS_FAKE_SHADOW_H
#define FLUXAWS_TESTS_FAKE_SHADOW_H

#include "daemon/shadow/thing.h"

/* Forget everything of the test before. */
void fake_reset(void);
/* Pins that were not released yet. */
size_t fake_pins(void);
/* Decide all operations on a path up to now. */
void fake_accept(const char *path, int64_t version);
void fake_refuse(const char *path, int code, const char *text);
/* The same for all operations to come, known before they are made. */
void fake_accept_ahead(const char *path, int64_t version);
void fake_refuse_ahead(const char *path, int code, const char *text);
/* What each report costs to check, as shadow_effort() counts it. */
void fake_cost(uint64_t effort);
/* What is answered by shadow_settled_revision(). */
void fake_settle(uint64_t revision);
/* Refuse the next report whole. */
void fake_refuse_next(int code, const char *path, const char *text);
/* What the last report looked like, in a line: "resent=0 us=5 set /a=1 unset /b". */
const char *fake_last_report(void);
unsigned fake_flushes(void);
/* What shadow_write() answers. */
void fake_set_document(const char *json);

#endif
