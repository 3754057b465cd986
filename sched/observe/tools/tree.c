/*
 * tree.c - the scopes and tasks of a target, as dump.c writes them from inside.
 *
 * MODEL   The tree is the one that cancellers walk: every scope and task that
 *         has ever waited. A task is parked when its waiter says so; then its
 *         fiber is left and has a trail. Of those that run, the worker's frame
 *         is on the fiber that the worker is on, and a thread's stack pointer
 *         too.
 * INVARIANTS
 *   - Every walk ends, whatever is in memory: depth and length are limited.
 */
#include "observe/tools/tree.h"

#include "observe/tools/stack.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DEPTH_MAX 64
#define LENGTH_MAX 1000000
#define WORKERS_MAX 4096

/* The address of a member of what is at `base`. */
#define AT(view, base, item) ((base) + (view)->value[LAYOUT_##item])

struct walk {
    struct target *target;
    const struct tree_runtime *rt;
    const struct tree_options *options;
    unsigned left; /* nodes that may yet be shown */
};

static void print_scope(struct walk *w, uint64_t scope, unsigned depth);

/* --- names --- */

static void desc_name(struct target *t, const struct view *v, uint64_t frame,
                      char *to)
{
    uint64_t desc = target_word(t, AT(v, frame, frame_desc));

    target_string(t, AT(v, desc, desc_name), to, TREE_NAME);
}

static void scope_name(struct target *t, const struct view *v, uint64_t scope,
                       char *to)
{
    uint64_t rare = target_word(t, AT(v, scope, scope_rare));

    to[0] = '\0';
    if (rare != 0) {
        target_string(t, AT(v, rare, rare_name), to, TREE_NAME);
    }
}

/* --- runtimes and workers --- */

unsigned tree_runtimes(struct target *t, struct tree_runtime *out,
                       unsigned room)
{
    unsigned n = 0;

    for (unsigned i = 0; i < t->view_count; i++) {
        const struct view *v = &t->views[i];
        uint64_t link = target_word(t, v->runtimes);

        while (link != 0 && link != v->runtimes && n < room) {
            struct tree_runtime *rt = &out[n++];
            uint64_t at = link - v->value[LAYOUT_runtime_link];

            *rt = (struct tree_runtime){.view = v, .address = at};
            rt->number = target_half(t, AT(v, at, runtime_number));
            rt->workers = target_half(t, AT(v, at, runtime_worker_count));
            rt->workers = rt->workers > WORKERS_MAX ? 0 : rt->workers;
            rt->offloaded = target_word(t, AT(v, at, runtime_offloaded));
            rt->polled = target_word(t, AT(v, at, runtime_polled));
            target_string(t, AT(v, at, runtime_name), rt->name, TREE_NAME);
            link = target_word(t, link); /* next is the first of a link */
        }
    }
    return n;
}

static uint64_t worker_at(struct target *t, const struct tree_runtime *rt,
                          unsigned index)
{
    const struct view *v = rt->view;

    return target_word(t, AT(v, rt->address, runtime_workers)) +
           index * v->value[LAYOUT_worker_size];
}

void tree_worker(struct target *t, const struct tree_runtime *rt,
                 unsigned index, struct tree_worker *out)
{
    const struct view *v = rt->view;
    uint64_t w = worker_at(t, rt, index);
    uint64_t frame = target_word(t, AT(v, w, worker_frame));
    uint64_t fresh = target_word(t, AT(v, w, worker_bottom)) -
                     target_word(t, AT(v, w, worker_top));

    *out = (struct tree_worker){.asleep = false};
    out->asleep = target_word(t, AT(v, w, worker_sleeps_until)) != 0;
    out->runs = !out->asleep && frame != 0;
    if (out->runs && (target_half(t, AT(v, frame, frame_marks)) &
                      v->value[LAYOUT_marks_desc])) {
        desc_name(t, v, frame, out->task);
    }
    out->fresh = (int64_t)fresh < 0 ? 0 : fresh;
    out->ready = target_word(t, AT(v, w, worker_tail)) -
                 target_word(t, AT(v, w, worker_head));
    out->inlined = target_word(t, AT(v, w, worker_inlined)) +
                   v->value[LAYOUT_worker_turns] -
                   target_half(t, AT(v, w, worker_in_place_left));
    out->run = target_word(t, AT(v, w, worker_run)) + out->inlined;
    out->stolen = target_word(t, AT(v, w, worker_stolen));
    out->switched = target_word(t, AT(v, w, worker_switched));
    out->parked = target_word(t, AT(v, w, worker_parked));
    out->fired = target_word(t, AT(v, w, worker_fired));
}

/* Who is on this fiber; -1: nobody. */
static int worker_on(struct walk *w, uint64_t fiber)
{
    const struct view *v = w->rt->view;

    for (unsigned i = 0; i < w->rt->workers; i++) {
        uint64_t worker = worker_at(w->target, w->rt, i);

        if (target_word(w->target, AT(v, worker, worker_fiber)) == fiber &&
            target_word(w->target, AT(v, worker, worker_frame)) != 0) {
            return (int)i;
        }
    }
    return -1;
}

static void print_running(struct walk *w, uint64_t fiber, int indent)
{
    const struct view *v = w->rt->view;
    struct trail trail = {indent, w->options->whole};

    if (w->options->stacks) {
        (void)stack_of_thread(
            w->target, target_word(w->target, AT(v, fiber, fiber_low)),
            target_word(w->target, AT(v, fiber, fiber_top)), trail);
    }
}

static void print_worker(struct walk *w, unsigned index)
{
    struct tree_worker state;
    uint64_t worker = worker_at(w->target, w->rt, index);

    tree_worker(w->target, w->rt, index, &state);
    printf("  worker %u: %" PRIu64 " new tasks, %" PRIu64 " ready; %s%s\n",
           index, state.fresh, state.ready,
           state.asleep ? "asleep"
           : state.runs ? "runs "
                        : "looks for work",
           !state.runs             ? ""
           : state.task[0] == '\0' ? "(unnamed)"
                                   : state.task);
    if (state.runs) {
        print_running(
            w, target_word(w->target, AT(w->rt->view, worker, worker_fiber)),
            6);
    }
}

/* --- the tree --- */

/* The runtime's time; 0: of a core, nobody knows when it was made. */
static uint64_t now_there(struct walk *w)
{
    const struct view *v = w->rt->view;
    uint64_t at = w->rt->address;
    struct timespec t;

    if (target_half(w->target, AT(v, at, runtime_clock)) ==
        v->value[LAYOUT_clock_virtual]) {
        return target_word(w->target, AT(v, at, runtime_virtual_now));
    }
    clock_gettime(CLOCK_MONOTONIC, &t);
    return w->target->pid == 0
               ? 0
               : (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* As dump.c has it. */
static void print_since(struct walk *w, uint64_t frame)
{
    const struct view *v = w->rt->view;
    uint64_t shift = v->value[LAYOUT_moment_shift];
    uint64_t now = now_there(w);
    uint32_t whole;

    whole = (uint32_t)(now >> shift) -
            target_half(w->target, AT(v, frame, frame_since));
    if (now != 0 && whole <= INT32_MAX) {
        now &= (UINT64_C(1) << shift) - 1;
        printf(" for %.3f s", (double)(((uint64_t)whole << shift) + now) / 1e9);
    }
}

/* What is called so is a descriptor: fd_waits_for. */
static bool of_descriptor(const char *what)
{
    return strcmp(what, "readable") == 0 || strcmp(what, "writable") == 0 ||
           strcmp(what, "readable or writable") == 0;
}

static void print_wait(struct walk *w, uint64_t frame, uint64_t fiber)
{
    const struct view *v = w->rt->view;
    uint32_t state = target_half(w->target, AT(v, frame, frame_state));
    int on = worker_on(w, fiber);
    char what[64];

    if ((state & v->value[LAYOUT_wait_phase]) ==
        v->value[LAYOUT_wait_waiting]) {
        uint64_t object = target_word(w->target, AT(v, frame, frame_object));

        target_string(w->target,
                      target_word(w->target, AT(v, frame, frame_what)), what,
                      sizeof(what));
        if (of_descriptor(what)) {
            printf("waiting for fd %d %s", (int)object, what);
        } else if (object != 0) {
            printf("%s 0x%" PRIx64, what, object);
        } else {
            printf("%s", what);
        }
        print_since(w, frame);
        printf("\n");
    } else if (on >= 0) {
        printf("on worker %d\n", on);
    } else {
        /* The frame in which groups stand is no task's. */
        printf(fiber == 0 ? "the runtime itself\n" : "ready\n");
    }
}

/* What links in a list that begins at head; 0: no more. */
static uint64_t next_link(struct walk *w, uint64_t link, uint64_t head)
{
    uint64_t next = target_word(w->target, link);

    if (next == 0 || next == head || w->left == 0) {
        return 0;
    }
    w->left--;
    return next;
}

static void print_task(struct walk *w, uint64_t frame, unsigned depth)
{
    const struct view *v = w->rt->view;
    uint64_t fiber = target_word(w->target, AT(v, frame, frame_fiber));
    uint64_t head = AT(v, frame, frame_scopes);
    uint64_t link = head;
    char name[TREE_NAME] = "";
    bool innermost = target_word(w->target, AT(v, fiber, fiber_frame)) == frame;

    if (target_half(w->target, AT(v, frame, frame_linked)) &
        v->value[LAYOUT_linked_desc]) {
        desc_name(w->target, v, frame, name);
    }
    printf("%*stask %s: ", (int)(2 * depth), "",
           name[0] == '\0' ? "(unnamed)" : name);
    print_wait(w, frame, fiber);
    if (w->options->stacks && innermost && worker_on(w, fiber) < 0) {
        stack_of_fiber(w->target, v, fiber,
                       (struct trail){(int)(2 * depth + 4), w->options->whole});
    }
    while (depth < DEPTH_MAX && (link = next_link(w, link, head)) != 0) {
        print_scope(w, link - v->value[LAYOUT_scope_attach], depth + 1);
    }
}

static void print_scope(struct walk *w, uint64_t scope, unsigned depth)
{
    const struct view *v = w->rt->view;
    uint32_t flags = target_half(w->target, AT(v, scope, scope_flags));
    uint64_t count = target_word(w->target, AT(v, scope, scope_count));
    uint64_t head = AT(v, scope, scope_tasks);
    uint64_t link = head;
    bool full = (flags & v->value[LAYOUT_scope_full]) != 0;
    char name[TREE_NAME] = "";

    if (full) {
        scope_name(w->target, v, scope, name);
    }
    printf("%*sscope 0x%" PRIx64 "%s%s%s%s%s\n", (int)(2 * depth), "", scope,
           name[0] == '\0' ? "" : " ", name,
           flags & v->value[LAYOUT_scope_cancelled] ? " cancelled" : "",
           flags & v->value[LAYOUT_scope_shield] ? " shielded" : "",
           count & v->value[LAYOUT_count_parked] ? " closing" : "");
    while (full && depth < DEPTH_MAX &&
           (link = next_link(w, link, head)) != 0) {
        print_task(w, link - v->value[LAYOUT_frame_link], depth + 1);
    }
}

void tree_print(struct target *t, const struct tree_options *options)
{
    static struct tree_runtime runtimes[64];
    unsigned n = tree_runtimes(t, runtimes, 64);

    for (unsigned i = 0; i < n; i++) {
        struct walk w = {t, &runtimes[i], options, LENGTH_MAX};

        printf("runtime %s: %u workers\n",
               w.rt->name[0] == '\0' ? "(unnamed)" : w.rt->name, w.rt->workers);
        for (unsigned k = 0; k < w.rt->workers; k++) {
            print_worker(&w, k);
        }
        print_scope(&w, AT(w.rt->view, w.rt->address, runtime_root), 1);
    }
    if (n == 0) {
        printf("no runtime\n");
    }
}
