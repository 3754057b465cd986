/*
 * loaded.h - libraries that this one uses where they are installed, and does
 * not depend on: loaded when they are needed, and never unloaded.
 */
#ifndef ROOST_OBSERVE_LOADED_H
#define ROOST_OBSERVE_LOADED_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A statically linked program has none of these, and gets none. */
#pragma weak dlopen
#pragma weak dlsym
#pragma weak dlclose

/* NULL: it is not there. Takes the loader's lock. */
static inline void *loaded_open(const char *name)
{
    return dlopen == NULL || dlsym == NULL || dlclose == NULL
               ? NULL
               : dlopen(name, RTLD_NOW | RTLD_NODELETE);
}

/* to: a pointer to a pointer to a function, to which C has no cast. */
static inline bool loaded_symbol(void *library, const char *name, void *to)
{
    void *symbol = dlsym(library, name);

    memcpy(to, &symbol, sizeof(symbol));
    return symbol != NULL;
}

static inline void loaded_close(void *library) /* NULL is fine */
{
    if (library != NULL) {
        (void)dlclose(library);
    }
}

#endif
