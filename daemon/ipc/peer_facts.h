/* What the kernel and the service manager know of who has connected to the socket. Read once, when
 * it is accepted; decides nothing. */
#ifndef FLUXAWS_IPC_PEER_FACTS_H
#define FLUXAWS_IPC_PEER_FACTS_H

#include "daemon/ipc/session.h"

struct ucred;

struct peer_facts {
    uint32_t *groups; /* owned; the supplementary ones */
    size_t group_count;
    char unit[SESSION_UNIT_MAX + 1];       /* for people; "": not known */
    char outer_unit[SESSION_UNIT_MAX + 1]; /* for rules; "": not known for certain */
};

/* Read what there is to know; `peer` is what SO_PEERCRED said. Returns 0 or -ENOMEM, with nothing
 * to clear. */
int peer_facts_read(int fd, const struct ucred *peer, struct peer_facts *ret_facts);
void peer_facts_clear(struct peer_facts *facts);

#endif
