/* Three sections, each with its language; no script, and nothing that would have to be fetched. */
#include "serve/page.h"

const char page_unavailable[] =
	"<!doctype html><html lang=\"zh-Hant\"><head><meta charset=\"utf-8\">"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>503</title>"
	"<style>body{font:1.1em/1.6 sans-serif;max-width:34em;margin:12vh auto;padding:0 "
	"1em;color:#222;background:#fff}"
	"h1{font-size:1.2em;margin:1.6em 0 0}p{margin:.2em 0}</style></head><body>"
	"<section lang=\"zh-Hant\"><h1>暫時無法提供服務</h1>"
	"<p>本網站正在恢復，請稍後再試。</p></section>"
	"<section lang=\"pt\"><h1>Serviço temporariamente indisponível</h1>"
	"<p>O sítio está a ser reposto. Tente novamente dentro de momentos.</p></section>"
	"<section lang=\"en\"><h1>Service temporarily unavailable</h1>"
	"<p>The site is being restored. Please try again in a moment.</p></section></body></html>";
