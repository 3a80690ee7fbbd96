#include "daemon/debug_hooks.h"

#include <signal.h>
#include <unistd.h>

/* All threads but the loop's block all signals, so it is the loop that stays in here. */
static void hang(int number)
{
    (void)number;
    for (;;)
        (void)pause();
}

void debug_hooks_install(void)
{
    const struct sigaction action = {.sa_handler = hang};
    (void)sigaction(SIGUSR2, &action, NULL);
}
