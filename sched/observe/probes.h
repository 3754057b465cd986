/*
 * probes.h - the events as static probes (USDT): what bpftrace, perf, SystemTap
 * and gdb find in the library by the name of the event, roost:CANCEL.
 *
 * A probe is a no-op instruction and a note beside the code that says where it
 * is. It stands in the functions of trace.c, which are called while anybody
 * wants events: as a tool attaches, it raises the word that the note names as
 * the probe's semaphore, which is the upper half of events_on for all of them.
 * So nothing is added to any path where no tool is and no trace runs; the
 * built-in cost is that of traces, one load.
 *
 * Three arguments: a name (never NULL), and two numbers or addresses. Which,
 * docs/guide/tracing.md tells.
 */
#ifndef ROOST_PROBES_H
#define ROOST_PROBES_H

#include "observe/events.h"

#ifdef ROOST_PROBES
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

#ifdef __clang__ /* the macros of sdt.h leave out variable arguments */
#pragma clang diagnostic ignored "-Wpedantic"
#endif

/* One word for all, in place of one variable a probe. */
#undef _SDT_SEMAPHORE
#define _SDT_SEMAPHORE(provider, name) _SDT_ASM_1(_SDT_ASM_ADDR events_on + 2)
#undef _SDT_NOTE_SEMAPHORE_USE
#define _SDT_NOTE_SEMAPHORE_USE(provider, name)

#define PROBE(kind, name, a, b)                                                \
    STAP_PROBE3(roost, kind, (const char *)(name), (uintptr_t)(a),             \
                (uintptr_t)(b))

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the upper half of events_on is at its third byte");
#else
#define PROBE(kind, name, a, b)                                                \
    ((void)(name), (void)(uintptr_t)(a), (void)(uintptr_t)(b))
#endif

#endif
