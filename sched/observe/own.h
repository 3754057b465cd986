/*
 * own.h - notes where the code of a file is: for place.c, which has to tell the
 * library's code from the program's. Every file of the static library is
 * compiled with this in front of it (-include).
 *
 * MODEL   A record for each section that a compiler puts code into: how far it
 *         is from the record to the first byte and to the one behind the last.
 *         All make an output section that is named like a variable in C, so
 *         that every linker has __start_roost_own and __stop_roost_own. Each is
 *         linked to its code ("o"): both stay or both go (--gc-sections).
 * REJECTED  Section names that GNU ld sorts by: other linkers do not. One
 *         object of the whole library (ld -r): every program would have all of
 *         it. The code in an output section of its own: valgrind knows
 *         functions in .text alone.
 */
#ifndef ROOST_OBSERVE_OWN_H
#define ROOST_OBSERVE_OWN_H

/* 8191 is the last of a section's parts, behind all that the file has there. */
#define OWN_CODE(section, id)                                                  \
    __asm__(".pushsection " section ",\"ax\",%progbits\n"                      \
            ".popsection\n"                                                    \
            ".pushsection " section ",8191\n"                                  \
            ".Lown_end" id ":\n"                                               \
            ".popsection\n"                                                    \
            ".pushsection roost_own,\"ao\",%progbits," section ",unique," id   \
            "\n"                                                               \
            ".balign 8\n"                                                      \
            ".quad " section " - ., .Lown_end" id " - .\n"                     \
            ".popsection\n")

OWN_CODE(".text", "1");
OWN_CODE(".text.unlikely", "2");
OWN_CODE(".text.unlikely.", "3"); /* clang's */

#endif
