/* The numbers that both ends of the wire agree on: sizes, counts and depths.
 * Configurable limits live in the daemon; these are the ceilings that no configuration passes. */
#ifndef FLUX_PROTO_LIMITS_H
#define FLUX_PROTO_LIMITS_H

/* Longest path, as a JSON Pointer with its escapes, without the terminating NUL. */
#define FLUX_PATH_BYTES_MAX 1024u
/* Most keys in a path. AWS IoT allows 8 levels below `reported` (quota page; the service's own
 * error text says 6); the daemon's MaxDepth is lower or equal. */
#define FLUX_PATH_DEPTH_MAX 32u
/* Properties and cuts that one shadow holds at most. */
#define FLUX_PROPERTIES_MAX 4096u
/* Longest single value: string bytes, or bytes of an array's JSON text. */
#define FLUX_VALUE_BYTES_MAX 65536u
/* Frame sizes, header included: the default and the ceiling of MaxFrameBytes. */
#define FLUX_FRAME_BYTES_DEFAULT 65536u
#define FLUX_FRAME_BYTES_MAX     1048576u
/* AWS IoT: thing names are 1-128 bytes of [a-zA-Z0-9:_-], shadow names 1-64 of [$a-zA-Z0-9:_-]. */
#define FLUX_THING_NAME_MAX  128u
#define FLUX_SHADOW_NAME_MAX 64u
/* A program's name as it shows in status and keys. */
#define FLUX_CLIENT_NAME_MAX 64u

#endif
