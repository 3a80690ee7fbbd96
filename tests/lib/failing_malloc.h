/* Lets the n-th allocation of the code under test fail, and counts what is not freed. Works by the
 * linker's --wrap for malloc, calloc, realloc, strdup and free; sees nothing inside shared
 * libraries. */
#ifndef FLUX_TESTS_LIB_FAILING_MALLOC_H
#define FLUX_TESTS_LIB_FAILING_MALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* From now on, let the `nth` allocation (1: the next one) and no other fail; 0: none. */
void failing_malloc_arm(size_t nth);

/* Stop failing. Returns true if the failure has happened since it was armed. */
bool failing_malloc_disarm(void);

/* Count the allocations made and not freed so far. */
size_t failing_malloc_live_count(void);

#endif
