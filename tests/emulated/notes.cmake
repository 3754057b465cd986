# notes.cmake - every object of an archive says that it has landing pads and
# signed return addresses (BTI, PAC): a linker drops that of the whole library
# for a single one that does not.
#
#   cmake -D READELF=... -D ARCHIVE=... -P notes.cmake
execute_process(COMMAND ${READELF} -nW ${ARCHIVE}
                OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "File: [^\n]+" files "${text}")
string(REGEX REPLACE "\n+File: " ";" parts "${text}")
list(LENGTH files count)
if(count LESS 50)
  message(FATAL_ERROR "${ARCHIVE}: ${count} objects only")
endif()
foreach(part IN LISTS parts)
  if(part MATCHES "[(]([^)]+[.]o)[)]" AND NOT part MATCHES "BTI, PAC")
    message(SEND_ERROR "${CMAKE_MATCH_1}: no note of BTI and PAC")
  endif()
endforeach()
