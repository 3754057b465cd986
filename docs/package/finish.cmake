# Run by CPack when the packages are made: see finish.sh.
foreach(deb IN LISTS CPACK_PACKAGE_FILES)
  execute_process(COMMAND ${CPACK_ROOST_FINISH} ${deb}
                  COMMAND_ERROR_IS_FATAL ANY)
endforeach()
