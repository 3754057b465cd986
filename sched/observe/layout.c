/*
 * layout.c - see layout.h: the table, and the note that leads to it.
 */
#include "observe/layout.h"
#include "count.h"
#include "runtime.h"
#include <stddef.h>

#define OFFSET_OF(name, type, member) offsetof(struct type, member),
#define VALUE_OF(name, value) (value),
static const uint64_t values[] = {LAYOUT_VALUES(OFFSET_OF, VALUE_OF)};

#define NAME_OF(name, ...) #name " "
static const char names[] = LAYOUT_VALUES(NAME_OF, NAME_OF);

__attribute__((used, visibility("hidden"))) const struct layout layout_table = {
    .magic = LAYOUT_MAGIC,
    .version = LAYOUT_VERSION,
    .items = LAYOUT_ITEMS,
    .runtimes = &registry_runtimes,
    .names = names,
    .value = values,
#ifndef LAYOUT_NO_RESUME /* ucontext */
    .resume = &switch_resume,
#endif
};

__asm__(".pushsection .note.roost, \"a\", %note\n"
        ".balign 4\n"
        ".long 6, 8, 1\n" /* sizes of name and content, ROOST_NOTE */
        ".asciz \"roost\"\n"
        ".balign 4\n"
        "1: .quad layout_table - 1b\n"
        ".popsection\n");
