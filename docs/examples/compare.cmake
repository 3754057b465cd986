# Runs PROGRAM with each number of WORKERS; it must end with 0 and print what
# the file EXPECTED holds.
file(READ ${EXPECTED} expected)
foreach(workers IN LISTS WORKERS)
  set(ENV{ROOST_WORKERS} ${workers})
  execute_process(COMMAND ${PROGRAM} RESULT_VARIABLE status
                  OUTPUT_VARIABLE printed ERROR_VARIABLE errors)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR
            "${workers} workers: ended with ${status}\n${printed}${errors}")
  endif()
  if(NOT printed STREQUAL expected)
    message(FATAL_ERROR "${workers} workers: printed\n${printed}${errors}"
                        "not\n${expected}")
  endif()
endforeach()
