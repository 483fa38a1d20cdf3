/* Every function of the library behind one signature; the table itself is generated from the header. */
#ifndef HAZARD_CALLS_H
#define HAZARD_CALLS_H

#include "hazard.h"

enum {
    HANDLE_NONE,
    HANDLE_CONTEXT,
    HANDLE_SERVER,
    HANDLE_CLIENT,
    HANDLE_SESSION,
    HANDLE_CONFIG,
    HANDLE_RESOLVER,
    HANDLE_POOL,
    HANDLE_LEASE,
    HANDLE_SESSION_MANAGER,
    HANDLE_JOB,
    HANDLE_BRIDGE,
    HANDLE_KINDS
};
enum {
    CALL_BLOCKS = 1,
    CALL_ENDS = 2, /* what the handle stands for */
    CALL_CREATES = 4,
    CALL_FAILS = 8 /* its arguments are never all valid */
};

typedef struct call_entry {
    const char* name;
    int handle;        /* HANDLE_*: the kind that the function takes */
    unsigned nullable; /* bit i: argument i is a pointer */
    unsigned required; /* those that must not be null */
    unsigned flags;    /* CALL_* */
    netsys_status (*call)(uint64_t handle, unsigned nulls);
} call_entry;

static inline netsys_str text_of(unsigned null) {
    netsys_str text;
    text.data = null ? NULL : "127.0.0.1";
    text.len = 9;
    return text;
}

static inline void ignore_text(void* userdata, netsys_str text) {
    (void)userdata;
    (void)text;
}

static inline void ignore_local_address(void* userdata, const netsys_local_address* address) {
    (void)userdata;
    (void)address;
}

static inline void ignore_resolution(void* userdata, const netsys_resolution* resolution) {
    (void)userdata;
    (void)resolution;
}

static inline void ignore_userdata(void* userdata) {
    (void)userdata;
}

static inline void ignore_member(void* userdata, const netsys_managed_session* session, netsys_str id) {
    (void)userdata;
    (void)session;
    (void)id;
}

static inline uint64_t no_activity(void* userdata) {
    (void)userdata;
    return 0;
}

static inline void ignore_stop(void* userdata, netsys_status code, netsys_str reason) {
    (void)userdata;
    (void)code;
    (void)reason;
}

static inline netsys_status no_client(void* userdata, netsys_client* client) {
    (void)userdata;
    (void)client;
    return NETSYS_ERR_CONNECTION_REFUSED;
}

#include "calls.inc"

enum { CALLS = sizeof calls / sizeof calls[0] };

/* xorshift64*: small, and the same on every machine. */
static inline uint64_t next_random(uint64_t* state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

#endif
