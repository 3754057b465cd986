/*
 * instrument.c - the calls that the compiler puts at each plain access of the
 * real files (-fsanitize=thread, without its runtime).
 *
 * Their names and types are the compiler's. Those in the model's own file are
 * renamed (own.syms): no race there is an error, but steps may meet in it.
 */
#include "engine.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCESS(name, size, write)                                              \
    void name(void *at);                                                       \
    void name(void *at)                                                        \
    {                                                                          \
        touch(at, size, write, __builtin_return_address(0));                   \
    }

static void touch(void *at, size_t size, bool write, void *pc)
{
    struct touch t = {(uintptr_t)at, size, write, "plain memory", pc};

    if (e.model == NULL || (e.alone && !life_watched)) {
        return;
    }
    if (e.tracing) {
        char here[80];

        place_text(pc, here, sizeof(here));
        trace("", 0, "%s %zu bytes at %p, %s", write ? "write " : "read  ",
              size, at, here);
    }
    plain_touch(&t);
    lines_touch(at, size, write, "plain memory");
}

ACCESS(__tsan_read1, 1, false)
ACCESS(__tsan_read2, 2, false)
ACCESS(__tsan_read4, 4, false)
ACCESS(__tsan_read8, 8, false)
ACCESS(__tsan_read16, 16, false)
ACCESS(__tsan_write1, 1, true)
ACCESS(__tsan_write2, 2, true)
ACCESS(__tsan_write4, 4, true)
ACCESS(__tsan_write8, 8, true)
ACCESS(__tsan_write16, 16, true)
ACCESS(__tsan_unaligned_read2, 2, false)
ACCESS(__tsan_unaligned_read4, 4, false)
ACCESS(__tsan_unaligned_read8, 8, false)
ACCESS(__tsan_unaligned_read16, 16, false)
ACCESS(__tsan_unaligned_write2, 2, true)
ACCESS(__tsan_unaligned_write4, 4, true)
ACCESS(__tsan_unaligned_write8, 8, true)
ACCESS(__tsan_unaligned_write16, 16, true)

void __tsan_read_range(void *at, size_t size);
void __tsan_write_range(void *at, size_t size);
void __tsan_init(void);
void __tsan_func_entry(void *pc);
void __tsan_func_exit(void);

void __tsan_read_range(void *at, size_t size)
{
    touch(at, size, false, __builtin_return_address(0));
}

void __tsan_write_range(void *at, size_t size)
{
    touch(at, size, true, __builtin_return_address(0));
}

void *model_memset(void *to, int value, size_t size);
void *model_memcpy(void *to, const void *from, size_t size);

void *model_memset(void *to, int value, size_t size)
{
    touch(to, size, true, __builtin_return_address(0));
    return memset(to, value, size);
}

void *model_memcpy(void *to, const void *from, size_t size)
{
    touch((void *)(uintptr_t)from, size, false, __builtin_return_address(0));
    touch(to, size, true, __builtin_return_address(0));
    return memcpy(to, from, size);
}

/* ---- the model's own file ------------------------------------------------ */

#define OWN(name, size, write)                                                 \
    void name(const void *at);                                                 \
    void name(const void *at)                                                  \
    {                                                                          \
        own_touch(at, size, write);                                            \
    }

/* By aligned words of 8 bytes, that all uses of one have one in common. */
static void own_touch(const void *at, size_t size, bool write)
{
    uintptr_t p = (uintptr_t)at & ~(uintptr_t)7;

    if (!e.reduced || e.alone) {
        return;
    }
    for (; p < (uintptr_t)at + size; p += 8) {
        sleep_touch((const void *)(p + 2), write);
    }
}

OWN(own_read1, 1, false)
OWN(own_read2, 2, false)
OWN(own_read4, 4, false)
OWN(own_read8, 8, false)
OWN(own_read16, 16, false)
OWN(own_write1, 1, true)
OWN(own_write2, 2, true)
OWN(own_write4, 4, true)
OWN(own_write8, 8, true)
OWN(own_write16, 16, true)
OWN(own_unaligned_read2, 2, false)
OWN(own_unaligned_read4, 4, false)
OWN(own_unaligned_read8, 8, false)
OWN(own_unaligned_read16, 16, false)
OWN(own_unaligned_write2, 2, true)
OWN(own_unaligned_write4, 4, true)
OWN(own_unaligned_write8, 8, true)
OWN(own_unaligned_write16, 16, true)

void own_read_range(const void *at, size_t size);
void own_write_range(const void *at, size_t size);
void *own_memset(void *to, int value, size_t size);
void *own_memcpy(void *to, const void *from, size_t size);

void own_read_range(const void *at, size_t size)
{
    own_touch(at, size, false);
}

void own_write_range(const void *at, size_t size)
{
    own_touch(at, size, true);
}

void *own_memset(void *to, int value, size_t size)
{
    own_touch(to, size, true);
    return memset(to, value, size);
}

void *own_memcpy(void *to, const void *from, size_t size)
{
    own_touch(from, size, false);
    own_touch(to, size, true);
    return memcpy(to, from, size);
}

/* ---- both ---------------------------------------------------------------- */

void __tsan_init(void)
{
}

void __tsan_func_entry(void *pc)
{
    (void)pc;
}

void __tsan_func_exit(void)
{
}

/* Asks addr2line, once an address; without it the address alone is told. */
static void look_up(const void *pc, char *out, size_t room)
{
    char command[128], line[256] = "";
    const char *slash;
    FILE *f;

    snprintf(command, sizeof(command), "addr2line -e /proc/%d/exe %p",
             (int)getpid(), (void *)((uintptr_t)pc - 1));
    strand_become(0);
    f = popen(command, "r");
    if (f == NULL || fgets(line, sizeof(line), f) == NULL || line[0] == '?') {
        snprintf(line, sizeof(line), "%p", pc);
    }
    if (f != NULL) {
        pclose(f);
    }
    strand_become(thread_index(e.me));
    line[strcspn(line, "\n ")] = '\0';
    slash = strrchr(line, '/');
    snprintf(out, room, "%.60s", slash != NULL ? slash + 1 : line);
}

/* The file and line of an instruction. */
void place_text(const void *pc, char *out, size_t room)
{
    static struct {
        const void *pc;
        char text[64];
    } known[256];
    size_t h = ((uintptr_t)pc >> 1) % 256;

    if (pc == NULL) {
        snprintf(out, room, "the last step");
        return;
    }
    if (known[h].pc != pc) {
        look_up(pc, known[h].text, sizeof(known[h].text));
        known[h].pc = pc;
    }
    snprintf(out, room, "%s", known[h].text);
}
