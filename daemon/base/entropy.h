/* Random bytes from the kernel, for seeds and identities. Not for the core: that gets a seed. */
#ifndef FLUXAWS_BASE_ENTROPY_H
#define FLUXAWS_BASE_ENTROPY_H

#include <stdint.h>

/* Returns 64 random bits. Never blocks: before the kernel has gathered entropy (early boot) the
 * clock and the process id stand in, enough to keep two devices apart, not for secrets. */
uint64_t entropy_u64(void);

#endif
