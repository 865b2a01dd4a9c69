# cmake -DFOLDER=control/page -DOUTPUT=page_assets.cc -P embed_page.cmake
# The page's files as C++, each as one raw string.
set(types "html=text/html" "css=text/css" "js=text/javascript")

file(GLOB files RELATIVE ${FOLDER} ${FOLDER}/*)
set(entries "")
foreach(file IN LISTS files)
  get_filename_component(ending ${file} LAST_EXT)
  string(SUBSTRING ${ending} 1 -1 ending)
  if(NOT "${types}" MATCHES "(^|;)${ending}=([a-z/]+)")
    message(FATAL_ERROR "${file}: which type is that?")
  endif()
  set(type ${CMAKE_MATCH_2})
  file(READ ${FOLDER}/${file} content)
  if(content MATCHES "\\)l4ward\"")
    message(FATAL_ERROR "${file} holds what ends a raw string here")
  endif()
  if(file STREQUAL index.html)
    set(path "/")
  else()
    set(path "/${file}")
  endif()
  string(APPEND entries
         "    {\"${path}\", \"${type}; charset=utf-8\", R\"l4ward(${content})l4ward\"},\n")
endforeach()

file(WRITE ${OUTPUT} "#include \"control/page_assets.h\"

namespace l4ward::control {

std::span<const Asset> pageAssets() {
  static constexpr Asset assets[] = {
${entries}  };
  return assets;
}

}  // namespace l4ward::control
")
