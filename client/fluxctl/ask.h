/* What the commands that ask the daemon something have in common. Prints on stderr only. */
#ifndef FLUXCTL_ASK_H
#define FLUXCTL_ASK_H

#include "client/fluxctl/fluxctl.h"

/* Say why a question failed, and return the exit code. */
enum fluxctl_exit fluxctl_explain_question(const struct fluxctl_arguments *arguments,
                                           struct fluxaws_client *client, int error);

/* Asks for each path that was named, or once for all, and prints the answers: `answers` has room
 * for `count` texts, which are freed afterwards. */
typedef enum fluxctl_exit (*fluxctl_asker)(const struct fluxctl_arguments *arguments,
                                           struct fluxaws_client *client, char **answers,
                                           int count);

/* Connect, let `ask` have its answers, and close. */
enum fluxctl_exit fluxctl_ask(const struct fluxctl_arguments *arguments, fluxctl_asker ask);

#endif
