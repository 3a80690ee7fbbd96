/* What to tell a user whom the socket, or the daemon behind it, keeps out. Prints on stderr only.
 */
#ifndef FLUXCTL_PERMISSION_H
#define FLUXCTL_PERMISSION_H

/* Say whose permission it takes, a group's or an access rule's, and how to come by it. */
void fluxctl_explain_permission(const char *path);

#endif
