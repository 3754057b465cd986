/*
 * place.h - where tasks wait in the program: addresses that are collected while
 * locks are held, named when none is, and printed later. See place.c.
 */
#ifndef ROOST_OBSERVE_PLACE_H
#define ROOST_OBSERVE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct fiber;
struct frame;
struct places;

/* Empty; NULL: no memory, and then all but places_name take it too. Takes the
 * loader's lock. */
struct places *places_new(void);
void places_free(struct places *p);

/* Where in the program the task of this frame, the innermost of a fiber that is
 * left and stays so, has made the call in which it waits; 0: nobody knows.
 * Takes no lock, allocates nothing. Cost: 2.5 us. */
uintptr_t places_of_wait(const struct places *p, const struct fiber *fiber,
                         const struct frame *frame);

/* Remember an address; 0 is passed over. starts: it is a function's, which has
 * no line but a name. */
void places_note(struct places *p, uintptr_t address, bool starts);
/* Find out what those that are remembered are called, and where their lines
 * are. On a thread of its own: it needs more stack than a task has. Nothing
 * must be locked: the loader's lock is taken, which others may hold while they
 * run constructors. */
void places_name(struct places *p);

#define PLACE_TEXT 160
/* "wait_for_godot at program.c:26"; "wait_for_godot (program+0x12f4)";
 * "program+0x12f4", as far as is known. Empty: nothing is. */
void places_text(const struct places *p, uintptr_t address, char *text);

#endif
