/* Faults on demand, for tests: SIGUSR2 makes the loop hang for ever. Nothing but fluxawsd-debug,
 * which is never installed, has them. */
#ifndef FLUXAWS_DEBUG_HOOKS_H
#define FLUXAWS_DEBUG_HOOKS_H

#ifdef FLUX_DEBUG_HOOKS
/* Take the signals. To be called before the first thread is started. */
void debug_hooks_install(void);
#else
static inline void debug_hooks_install(void)
{
}
#endif

#endif
