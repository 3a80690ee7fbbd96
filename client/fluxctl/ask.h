/* Exit codes of the commands that ask the daemon something. Prints on stderr only. */
#ifndef FLUXCTL_ASK_H
#define FLUXCTL_ASK_H

#include "client/fluxctl/fluxctl.h"

/* Say why a question failed, and return the exit code. */
enum fluxctl_exit fluxctl_explain_question(const struct fluxctl_arguments *arguments,
                                           struct fluxaws_client *client, int error);

#endif
