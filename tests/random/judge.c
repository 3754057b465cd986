/*
 * judge.c - one program, run by one seed: see judge.h.
 */
#include "judge.h"
#include "world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 2 }; /* for one program, which takes some 200 us */

static struct world the_world;

/* The number that the next descriptor gets. */
static int next_fd(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        (void)close(fd);
    }
    return fd;
}

/* Why that is not the one that it was before. */
static const char *what_of_fds(int before, int after)
{
    return before < 0 || after < 0 ? "the system had no descriptor to give"
           : after > before        ? "a descriptor was left open"
                                   : "a descriptor of before is closed";
}

/* The library's table of descriptors grows once, and stays. */
static void warm_up(void)
{
    static bool done;
    int ends[2];
    char byte;

    if (!done && pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
        (void)roost_read_until(ends[0], &byte, 1, roost_in(1));
        (void)roost_close(ends[0]);
        (void)roost_close(ends[1]);
        done = true;
    }
}

static void run(const struct program *p, struct verdict *v)
{
    roost_opts opts = {
        .workers = program_workers(p),
        .backend = ROOST_SIM,
        .seed = program_seed(p),
        .flags = program_flags(p),
        .stack_size = 128 * 1024, /* twice what every task is to find */
        .jump_after = 1, /* what comes through a pipe is there at once */
        .on_error = world_report,
    };
    long blocks;
    long pages;
    int fd, after;
    int rc;

    warm_up();
    blocks = faults_blocks();
    pages = faults_pages();
    fd = next_fd();
    rc = world_init(&the_world, p);
    hold(rc == 0, -1, "the world could not be made");
    if (rc == 0) {
        rc = roost_run(world_main, &the_world, &opts);
        hold(rc == 0, -1, "roost_run failed");
        world_judge(&the_world);
    }
    world_destroy(&the_world);
    hold(faults_blocks() == blocks, -1, "memory was not freed");
    hold(faults_pages() == pages, -1, "a mapping was left");
    after = next_fd();
    hold(after == fd, -1, what_of_fds(fd, after));
    memcpy(v->said, the_world.said, sizeof(v->said));
    v->at = the_world.said_at;
    v->log = the_world.log;
}

/* One program in 8 is run twice. */
static bool replayed(const struct program *p)
{
    return (p->head[4] & 0x0e) == 0;
}

void judge_here(const struct program *p, struct verdict *v)
{
    struct verdict again;

    run(p, v);
    if (v->said[0] == '\0' && replayed(p) && !the_world.outside) {
        run(p, &again);
        if (again.log != v->log) {
            strcpy(v->said, "the same seed gave another run");
            v->at = -1;
        }
    }
}

void judge_quietly(void)
{
    struct rlimit none = {0, 0};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)setrlimit(RLIMIT_CORE, &none);
    if (null >= 0) {
        (void)dup2(null, STDERR_FILENO);
        (void)close(null);
    }
}

void judge_death(int status, char *said, size_t size)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        snprintf(said, size, "it hangs");
    } else if (WIFSIGNALED(status)) {
        snprintf(said, size, "it dies: %s", strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 0) {
        snprintf(said, size, "it ends with status %d", WEXITSTATUS(status));
    }
}

struct shared {
    struct verdict verdict;
    struct program program;
};

static void set_seed(struct program *p, uint64_t seed)
{
    for (unsigned i = 0; i < 3; i++) {
        p->head[5 + i] = (uint8_t)(seed >> 8 * i);
    }
}

/* In the child. */
static void try_seeds(struct shared *s, unsigned seeds)
{
    uint64_t first = program_seed(&s->program);

    judge_quietly();
    for (unsigned i = 0; i < seeds; i++) {
        set_seed(&s->program, i == 0 ? first : i);
        (void)alarm(SECONDS);
        judge_here(&s->program, &s->verdict);
        if (s->verdict.said[0] != '\0') {
            break;
        }
    }
    _exit(0);
}

void judge_apart(struct program *p, unsigned seeds, struct verdict *v)
{
    struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 0;
    pid_t pid;

    if (s == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    memset(s, 0, sizeof(*s));
    s->program = *p;
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        try_seeds(s, seeds);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        perror("fork");
        exit(2);
    }
    *v = s->verdict;
    if (status != 0) {
        v->at = -1;
        judge_death(status, v->said, sizeof(v->said));
    }
    if (v->said[0] != '\0') {
        *p = s->program;
    }
    (void)munmap(s, sizeof(*s));
}
