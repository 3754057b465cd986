# COMPILER makes the same assembly of SOURCE with TYPED and without.
foreach(form PLAIN TYPED)
  execute_process(
    COMMAND ${COMPILER} -Wall -Wextra -Wpedantic -Wshadow -Werror -g0 -O2 -S
            -o - -D${form} ${SOURCE}
    RESULT_VARIABLE status OUTPUT_VARIABLE ${form}_code ERROR_VARIABLE said)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${form} does not compile:\n${said}")
  endif()
endforeach()
if(NOT PLAIN_code MATCHES "roost_chan_send")
  message(FATAL_ERROR "nothing was compiled:\n${PLAIN_code}")
endif()
if(NOT PLAIN_code STREQUAL TYPED_code)
  message(FATAL_ERROR "${TYPED_code}\nis not\n${PLAIN_code}")
endif()
