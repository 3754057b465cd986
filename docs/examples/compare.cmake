# Runs PROGRAM, which must end with 0 and print what the file EXPECTED holds.
file(READ ${EXPECTED} expected)
execute_process(COMMAND ${PROGRAM} RESULT_VARIABLE status
                OUTPUT_VARIABLE printed ERROR_VARIABLE errors)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "ended with ${status}\n${printed}${errors}")
endif()
if(NOT printed STREQUAL expected)
  message(FATAL_ERROR "printed\n${printed}${errors}\nnot\n${expected}")
endif()
