# COMPILER takes SOURCE with STATEMENT and RIGHT in it, without a warning, and
# refuses it with WRONG, because of the statement.
execute_process(
  COMMAND ${COMPILER} -Wall -Wextra -Wpedantic -Wshadow -Werror -fsyntax-only
          "-DSTATEMENT=${STATEMENT}" "-DITEM=${RIGHT}" ${SOURCE}
  RESULT_VARIABLE status ERROR_VARIABLE said)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the right item is refused:\n${said}")
endif()

execute_process(
  COMMAND ${COMPILER} -w -fsyntax-only
          "-DSTATEMENT=${STATEMENT}" "-DITEM=${WRONG}" ${SOURCE}
  RESULT_VARIABLE status ERROR_VARIABLE said)
if(status EQUAL 0)
  message(FATAL_ERROR "the wrong item is taken")
endif()
if(NOT said MATCHES "statement:1:")
  message(FATAL_ERROR "refused because of something else:\n${said}")
endif()
