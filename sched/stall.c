/*
 * stall.c - naming a task that holds its worker for too long (opts.stall).
 *
 * WHAT    While workers run, the watch looks twice in each period; a worker
 *         that has been in the same turn for longer is reported, once a turn,
 *         and once more if that is so of all of them at a time.
 * MODEL   A worker raises its turn whenever it turns to something else: in
 *         the loop, at a hand-over, at the start and end of a task with a
 *         descriptor. It notes the task's name, its function and its thread
 *         between two halves of that: while the turn is odd they are being
 *         written. All that is done only when the option is set.
 *         Whether the task computes, or blocks the thread in a call, the kernel
 *         tells: R in /proc/self/task/N/stat is a thread that runs, or would if
 *         it had a processor. It is looked at each time that the watch finds
 *         the worker in the same turn as before, and what was seen more often
 *         is reported. Processor times do not tell the two apart where there
 *         are more threads than processors.
 *           Where: the task's function, by its offset in the program. What it
 *         has called since only an interrupt would tell; and a name would need
 *         the loader's lock, which a task that hangs in dlopen holds.
 * ORDER
 *   V1   (watch.c) sleeps_until, and a guest's `away`: before it sleeps the
 *        watch asks once more, behind a full fence. In a look both are relaxed:
 *        it may take who has just fallen asleep for awake, once.
 *   Y1  turn: release by the worker -> acquire by the watch    the name and
 *        function, as of that turn; the watch reads turn again and drops torn
 *        ones
 * COST    Off: a load a turn. On: 8 stores a turn; in a look, 3 system calls
 *         for each worker that has not turned since the last.
 */
#include "guest.h"
#include "runtime.h"
#include "sim.h"
#include "worker.h"
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

void stall_turn(struct worker *w, const struct frame *f, roost_fn fn)
{
    const struct task_desc *d = f != NULL && f->marks & F_DESC ? f->desc : NULL;
    uint64_t turn = a64_load(&w->stall.turn, RELAXED);
    uint64_t words[TASK_NAME_SIZE / 8] = {0};
    unsigned i;

    if (w->rt->sim != NULL) {
        sim_step(w->rt->sim, SIM_TURN);
        return;
    }
    if (d != NULL) {
        memcpy(words, d->name, strnlen(d->name, TASK_NAME_SIZE - 1));
        fn = d->fn;
    }
    a64_store(&w->stall.turn, turn + 1, RELAXED);
    fence_release(); /* Y1 */
    for (i = 0; i < TASK_NAME_SIZE / 8; i++) {
        a64_store(&w->stall.name[i], words[i], RELAXED);
    }
    a64_store(&w->stall.fn, (uintptr_t)fn, RELAXED);
    a64_store(&w->stall.thread, (uint64_t)w->carrier->number, RELAXED);
    a64_store(&w->stall.turn, turn + 2, RELEASE /* Y1 */);
}

/* Count what the thread does just now: nothing, if the kernel does not tell. */
static void look_at_thread(struct stall *s)
{
    char text[128]; /* the name in it has 15 characters at most */
    char *end;
    ssize_t n;
    int fd;

    snprintf(text, sizeof(text), "/proc/self/task/%llu/stat",
             (unsigned long long)a64_load(&s->thread, RELAXED));
    fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n < 0 ? 0 : n] = '\0';
    end = strrchr(text, ')'); /* of the name, which may have others */
    if (end != NULL && end[1] == ' ') {
        s->computing += end[2] == 'R';
        s->blocked += end[2] != 'R';
    }
}

static enum stalled judge(const struct stall *s)
{
    if (s->computing + s->blocked == 0) {
        return STALL_UNKNOWN;
    }
    return s->computing > s->blocked ? STALL_COMPUTING : STALL_BLOCKED;
}

/* What the loader has added to the program's addresses; 0 if address is none of
 * its. */
static uintptr_t bias_of(uintptr_t address, bool *found)
{
    const ElfW(Phdr) *part = (const void *)getauxval(AT_PHDR);
    size_t n = part == NULL ? 0 : getauxval(AT_PHNUM);
    uintptr_t bias = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        if (part[i].p_type == PT_PHDR) {
            bias = (uintptr_t)part - part[i].p_vaddr;
        }
    }
    for (i = 0; i < n && !*found; i++) {
        *found = part[i].p_type == PT_LOAD &&
                 address - bias - part[i].p_vaddr < part[i].p_memsz;
    }
    return *found ? bias : 0;
}

/* ", in program+0x12f4", as addr2line takes it. */
static void print_place(char *text, size_t size, uintptr_t fn)
{
    bool in_program = false;
    uintptr_t bias = bias_of(fn, &in_program);

    text[0] = '\0';
    if (fn != 0) {
        snprintf(text, size, ", in %s%s0x%lx",
                 in_program ? program_invocation_short_name : "",
                 in_program ? "+" : "", (unsigned long)(fn - bias));
    }
}

static void report(const struct worker *w, const char *name, uintptr_t fn,
                   int64_t ns)
{
    static const char *const words[] = {"", ", blocked in a call",
                                        ", computing"};
    char place[80];

    print_place(place, sizeof(place), fn);
    dprintf(STDERR_FILENO, "roost: %s has held worker %u for %lld ms%s%s\n",
            *name == '\0' ? "a task" : name, w->index,
            (long long)(ns / ROOST_MS), words[w->stall.how], place);
}

/* The turn goes on for too long: say whose it is. */
static void name_task(struct worker *w, int64_t now)
{
    struct stall *s = &w->stall;
    uint64_t words[TASK_NAME_SIZE / 8];
    char name[TASK_NAME_SIZE];
    uintptr_t fn;
    unsigned i;

    for (i = 0; i < TASK_NAME_SIZE / 8; i++) {
        words[i] = a64_load(&s->name[i], RELAXED);
    }
    fn = (uintptr_t)a64_load(&s->fn, RELAXED);
    fence_acquire(); /* Y1 */
    if (a64_load(&s->turn, RELAXED) == s->seen && s->seen % 2 == 0) {
        memcpy(name, words, sizeof(name));
        name[TASK_NAME_SIZE - 1] = '\0';
        s->how = judge(s);
        report(w, name, fn, now - s->since);
        s->reported = true;
    }
}

/* Is w held, for longer than the limit? */
static bool look(struct worker *w, int64_t now, roost_ns limit)
{
    struct stall *s = &w->stall;
    uint64_t turn = a64_load(&s->turn, ACQUIRE /* Y1 */);

    if (turn != s->seen || turn == 0) { /* 0: it has not begun */
        s->seen = turn;
        s->since = now;
        s->computing = 0;
        s->blocked = 0;
        s->reported = false;
        return false;
    }
    look_at_thread(s);
    if (now - s->since < limit) {
        return false;
    }
    if (!s->reported) {
        name_task(w, now);
    }
    return s->reported;
}

static void report_all(struct runtime *rt)
{
    unsigned n[] = {0, 0, 0};
    unsigned i;

    for (i = 0; i < rt->worker_count; i++) {
        n[rt->workers[i].stall.how]++;
    }
    dprintf(STDERR_FILENO,
            "roost: all %u workers are held: %u blocked, %u computing\n",
            rt->worker_count, n[STALL_BLOCKED], n[STALL_COMPUTING]);
}

static bool asleep(struct worker *w)
{
    return a64_load(&w->sleeps_until, RELAXED) != 0 ||
           (w->guest && guest_away(w->rt));
}

bool stall_awake(struct runtime *rt)
{
    bool awake = false;
    unsigned i;

    if (rt->opts.stall > 0) {
        fence_full(); /* V1 */
        for (i = 0; i < rt->worker_count; i++) {
            awake = awake || !asleep(&rt->workers[i]);
        }
    }
    return awake;
}

int64_t stall_look(struct runtime *rt)
{
    int64_t now = clock_now();
    int64_t again = INT64_MAX;
    bool all = true;
    unsigned i;

    if (rt->opts.stall <= 0) {
        return again;
    }
    for (i = 0; i < rt->worker_count; i++) {
        struct worker *w = &rt->workers[i];

        if (asleep(w)) {
            w->stall.seen = 0; /* asleep, or not here: count from anew */
            all = false;
            continue;
        }
        all = look(w, now, rt->opts.stall) && all;
        again = clock_later(now, rt->opts.stall / 2);
    }
    if (all && !rt->all_held) {
        report_all(rt);
    }
    rt->all_held = all;
    return again;
}
