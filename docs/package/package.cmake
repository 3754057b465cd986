# package.cmake - Debian packages: libroost0.1 (the shared library, its name as
# its SONAME asks), libroost-dev and roost-tools.
#
#   cmake --preset package && cmake --build --preset package
#   cpack --config build/package/CPackConfig.cmake -B DIRECTORY
#
# or ./run package, which tries them in a Debian of their own as well. CPack
# makes them, finish.sh then makes them as Debian's policy wants them, and the
# same from the same sources: all times are SOURCE_DATE_EPOCH, by default that
# of the last commit.
set(ROOST_PACKAGE_CONTACT "roost contributors <roost@packages.invalid>"
    CACHE STRING "who answers for the packages: set it if you give them away")

set(roost_package_dir ${CMAKE_CURRENT_SOURCE_DIR}/docs/package)
set(roost_made_dir ${CMAKE_CURRENT_BINARY_DIR}/package)

set(roost_epoch $ENV{SOURCE_DATE_EPOCH})
find_package(Git QUIET)
if(NOT roost_epoch AND GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} log -1 --format=%ct
                  WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
                  OUTPUT_VARIABLE roost_epoch ERROR_QUIET
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
if(NOT roost_epoch)
  string(TIMESTAMP roost_epoch "%s" UTC)
endif()
set(saved_epoch $ENV{SOURCE_DATE_EPOCH})
set(ENV{SOURCE_DATE_EPOCH} ${roost_epoch})
string(TIMESTAMP roost_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(ENV{SOURCE_DATE_EPOCH} ${saved_epoch})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME roost)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each has its own
set(CPACK_PACKAGE_CONTACT ${ROOST_PACKAGE_CONTACT})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_CURRENT_BINARY_DIR})
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_POST_BUILD_SCRIPTS ${roost_package_dir}/finish.cmake)
set(CPACK_ROOST_FINISH
    ${roost_package_dir}/finish.sh ${roost_epoch} ${CMAKE_INSTALL_LIBDIR})

string(CONCAT roost_about
  "roost runs many tasks on few threads. Tasks live in scopes: a scope does not
end before all that was started in it, and what fails or takes too long
cancels the rest of its scope.")

# roost_package(component name section synopsis text)
function(roost_package component name section synopsis text)
  set(doc ${CMAKE_INSTALL_DATADIR}/doc/${name})
  file(CONFIGURE OUTPUT ${roost_made_dir}/${component}/changelog @ONLY CONTENT
"roost (@PROJECT_VERSION@) unstable; urgency=medium

  * What changed: CHANGELOG.md of the sources.

 -- @ROOST_PACKAGE_CONTACT@  @roost_date@
")
  install(FILES ${roost_package_dir}/copyright
                ${roost_made_dir}/${component}/changelog
          DESTINATION ${doc} COMPONENT ${component} EXCLUDE_FROM_ALL)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_DESCRIPTION
      "${synopsis}\n${roost_about}\n\n${text}" PARENT_SCOPE)
  set(CPACK_COMPONENT_${upper}_DESCRIPTION
      "${synopsis}\n${roost_about}\n\n${text}" PARENT_SCOPE)
  set(roost_components ${roost_components} ${component} PARENT_SCOPE)
endfunction()

set(roost_components ${roost_components})
roost_package(library libroost${roost_abi} libs
  "work-stealing scheduler with structured concurrency"
  "This package has the shared library.")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SUGGESTS "libdw1") # lines in dumps
roost_package(dev libroost-dev libdevel
  "work-stealing scheduler with structured concurrency (development)"
  "This package has the headers, the static library, the files for pkg-config
and CMake, and the manual.")
if(TARGET roost_ps)
  roost_package(tools roost-tools devel
    "look at programs that use roost from outside"
    "This package has roost-ps, which shows the tasks of a process or a core and
where they wait, roost-top, which shows what its workers do, commands for gdb
and scripts for bpftrace.")
  set(CPACK_DEBIAN_TOOLS_PACKAGE_SUGGESTS "gdb, bpftrace")
endif()
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
    "libroost${roost_abi} (= ${PROJECT_VERSION})")
set(CPACK_COMPONENTS_ALL ${roost_components})
include(CPack)
