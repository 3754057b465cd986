# The names of the library's own in a static archive, which has no hidden ones:
# each gets roost__ in front, so that a program may have a task_run too. To be
# called with NM, OBJCOPY and ARCHIVE. What debuggers read stays as it is.
execute_process(COMMAND ${NM} -g --defined-only ${ARCHIVE}
                OUTPUT_VARIABLE symbols ERROR_QUIET
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[A-Z] [a-z][a-z0-9_]*" symbols "${symbols}")
list(TRANSFORM symbols REPLACE "^[A-Z] " "")
list(FILTER symbols EXCLUDE REGEX "^roost_")
list(REMOVE_DUPLICATES symbols)
list(TRANSFORM symbols REPLACE "(.+)" "\\1 roost__\\1")
list(JOIN symbols "\n" symbols)
file(WRITE ${ARCHIVE}.names "${symbols}\n")
execute_process(COMMAND ${OBJCOPY} -D --redefine-syms=${ARCHIVE}.names ${ARCHIVE}
                COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE ${ARCHIVE}.names)
