/*
 * layouts.c - a program with the note and the table of a library that is not
 * this one: by KIND of its environment.
 */
#include "observe/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_OF(name, ...) #name " "
static char names[] = LAYOUT_VALUES(NAME_OF, NAME_OF);

static const uint64_t values[LAYOUT_ITEMS];

__attribute__((used)) struct layout layout_table = {
    .magic = LAYOUT_MAGIC,
    .version = LAYOUT_VERSION,
    .items = LAYOUT_ITEMS,
    .names = names,
    .value = values,
};

__asm__(".pushsection .note.roost, \"a\", %note\n"
        ".balign 4\n"
        ".long 6, 8, 1\n"
        ".asciz \"roost\"\n"
        ".balign 4\n"
        "1: .quad layout_table - 1b\n"
        ".popsection\n");

int main(void)
{
    const char *kind = getenv("KIND");

    if (strcmp(kind, "version") == 0) {
        layout_table.version = LAYOUT_VERSION + 1;
    } else if (strcmp(kind, "value") == 0) {
        *strstr(names, "wait_parked") = 'x';
    } else if (strcmp(kind, "items") == 0) {
        layout_table.items = UINT32_MAX;
    } else {
        layout_table.value = NULL;
    }
    puts("ready");
    fflush(stdout);
    pause();
    return 0;
}
