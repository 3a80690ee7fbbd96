/* An allocator that fails when told to, for the calls of malloc() and the like that the linker has
 * wrapped (meson.build). Not for Jansson's: its scanner (2.14) asserts that there is memory.
 * Single-threaded. */
#ifndef FLUX_TESTS_FUZZ_FAILING_H
#define FLUX_TESTS_FUZZ_FAILING_H

#include <stdbool.h>
#include <stdint.h>

/* From here on, the allocation with this number (1: the next one) fails, and so do the `count` - 1
 * after it. */
void failing_start(uint64_t number, uint64_t count);

/* All works again. Returns how many allocations there were. */
uint64_t failing_stop(void);

/* The targets of the fuzzers know of it where it is linked. Hold failures off for a while, as for
 * the tests' own allocations; counts how often. */
void failing_hold(bool hold) __attribute__((weak));

/* Tell whether any allocation was made to fail since failing_start(). */
bool failing_has_failed(void) __attribute__((weak));

#endif
