/* Why reports wait, for people. Asks the daemon; prints on stderr only. */
#ifndef FLUXCTL_DELAY_H
#define FLUXCTL_DELAY_H

#include "client/fluxctl/fluxctl.h"

/* Say what stands between the daemon and the cloud, or, for FLUXAWS_STORED, the disk, if the daemon
 * knows and tells within a second; then what to try next. */
void fluxctl_explain_delay(struct fluxaws_client *client, enum fluxaws_level level);

#endif
