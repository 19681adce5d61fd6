#include "report/phrases.h"

#include <stddef.h>
#include <string.h>

static const char *const tags[LANGUAGES] = {"en", "pt", "zh-Hant"};

const char *language_tag(enum language language)
{
	return tags[language];
}

enum language language_find(const char *tag)
{
	enum language language = LANGUAGE_ENGLISH;
	while (language < LANGUAGES && strcmp(tags[language], tag) != 0)
		language++;
	return language;
}

static const char *const phrases[PHRASES][LANGUAGES] = {
	[PHRASE_TITLE] = {"Report of incident %lu", "Relatório do incidente %lu", "第 %lu 號事故報告"},
	[PHRASE_MADE] = {"Made at %s, from what was on record then.",
			 "Feito em %s, com o que então constava do registo.", "於 %s 依當時的紀錄製成。"},
	[PHRASE_ALL_UTC] = {"All times are UTC.", "Todas as horas são UTC.", "所有時間均為協調世界時（UTC）。"},
	[PHRASE_NOT_YET_KNOWN] = {"not yet known", "ainda não se sabe", "尚未得知"},
	[PHRASE_NONE] = {"none", "nenhum", "無"},

	[PHRASE_SUMMARY] = {"Summary", "Resumo", "摘要"},
	[PHRASE_PHASE] = {"Phase", "Fase", "階段"},
	[PHRASE_ONSET] = {"Onset", "Início", "開始"},
	[PHRASE_DETECTED] = {"Detected", "Detetado", "察覺"},
	[PHRASE_HELD] = {"Held at every site", "Contido em todos os sítios", "所有網站均受控"},
	[PHRASE_RESTORED] = {"Visitors served again", "Visitantes de novo servidos", "恢復對訪客的服務"},
	[PHRASE_OVER] = {"Over", "Terminado", "結束"},
	[PHRASE_AFTER] = {"%s after the onset", "%s depois do início", "開始後 %s"},
	[PHRASE_RETURNED] = {"Came back within an hour", "Voltou dentro de uma hora", "一小時內再度發生（次數）"},
	[PHRASE_WORST] = {"Worst second", "Pior segundo", "最高一秒"},
	[PHRASE_PER_SECOND] = {"%s requests", "%s pedidos", "%s 個請求"},

	[PHRASE_COURSE] = {"Course", "Evolução", "經過"},
	[PHRASE_REQUESTS_PLOT] = {"Requests a second, by what became of them",
				  "Pedidos por segundo, segundo o destino que tiveram", "每秒請求數（按處理結果）"},
	[PHRASE_VISITORS_PLOT] = {"Visitors' requests answered in time, per cent (estimate)",
				  "Pedidos de visitantes respondidos a tempo, em percentagem (estimativa)",
				  "訪客請求獲及時回應的百分比（估計）"},
	[PHRASE_MARKS] = {"Numbered lines: when the measures of the same number, below, came into force.",
			  "Linhas numeradas: quando entraram em vigor as medidas com o mesmo número, abaixo.",
			  "編號直線：下文同編號措施生效的時刻。"},
	[PHRASE_PASSED] = {"passed", "passaram", "放行"},
	[PHRASE_BLOCKED] = {"blocked by rules", "bloqueados por regras", "被規則攔截"},
	[PHRASE_LIMITED] = {"refused by limits and bans", "recusados por limites e interdições", "因限額或封禁而拒絕"},
	[PHRASE_SIGNATURE] = {"refused by a signature", "recusados por uma assinatura", "因特徵相符而拒絕"},
	[PHRASE_NO_SLOT] = {"no room at the origin", "sem lugar na origem", "源站無餘裕"},
	[PHRASE_OTHER] = {"not inspected", "não inspecionados", "未經檢查"},
	[PHRASE_COPIES] = {"of the passed: last good copies", "dos que passaram: últimas cópias boas",
			   "放行之中：最後的完好副本"},

	[PHRASE_SITES] = {"Sites", "Sítios", "網站"},
	[PHRASE_SITE] = {"Site", "Sítio", "網站"},
	[PHRASE_NO_SITE] = {"(of no site)", "(de nenhum sítio)", "（不屬任何網站）"},
	[PHRASE_VISITORS_ANSWERED] = {"Visitors answered", "Visitantes respondidos", "獲回應的訪客"},
	[PHRASE_AT_WORST] = {"%lu % at worst", "%lu % no pior momento", "最低 %lu %"},

	[PHRASE_COMMON] = {"What the refused requests had in common", "O que os pedidos recusados tinham em comum",
			   "被拒請求的共同特徵"},
	[PHRASE_COMMON_NOTE] = {"As recorded, in English.", "Tal como registado, em inglês.", "以下照錄英文紀錄。"},
	[PHRASE_MEASURE] = {"Measure", "Medida", "措施"},
	[PHRASE_IN_FORCE] = {"In force", "Em vigor", "生效時段"},
	[PHRASE_TO] = {"to", "a", "至"},
	[PHRASE_REFUSED] = {"Refused", "Recusados", "拒絕數"},
	[PHRASE_BANS] = {"addresses that asked for most", "endereços que mais pediram", "請求最多的位址"},
	[PHRASE_SHEDDING] = {"connections held without a whole request", "ligações mantidas sem um pedido completo",
			     "佔用連線而無完整請求"},

	[PHRASE_SOURCES] = {"Where requests came from", "De onde vieram os pedidos", "請求來自何處"},
	[PHRASE_NETWORKS] = {"Networks", "Redes", "網段"},
	[PHRASE_OPERATORS] = {"Operators", "Operadores", "網絡營辦者"},
	[PHRASE_COUNTRIES] = {"Countries and regions", "Países e regiões", "國家及地區"},
	[PHRASE_PATHS] = {"Paths", "Caminhos", "路徑"},
	[PHRASE_AGENTS] = {"Agents, as they call themselves", "Agentes, como se dizem", "自稱的用戶代理"},
	[PHRASE_REQUESTS] = {"Requests", "Pedidos", "請求數"},
	[PHRASE_PLACES] = {"Operators and countries are those of the address in the data of %s.",
			   "Operadores e países são os do endereço segundo os dados de %s.",
			   "營辦者及國家乃依 %s 的資料，就位址而言。"},
	[PHRASE_SOURCES_NOTE] =
		{"Of all requests, visitors' among them. Confidence: the network of an address is certain where a "
		 "connection "
		 "was completed from it; its operator is likely; its country is an indication only. An address may be "
		 "a relay, "
		 "or shared by many, and says nothing of who used it.",
		 "De todos os pedidos, incluindo os de visitantes. Confiança: a rede de um endereço é certa quando "
		 "dele se "
		 "completou uma ligação; o operador é provável; o país é apenas um indício. Um endereço pode ser um "
		 "intermediário, ou partilhado por muitos, e nada diz sobre quem o usou.",
		 "以下包括所有請求，訪客的也在內。可信程度：完成連線的位址，其網段可以確定；營辦者大致可信；國家僅供參"
		 "考。位址可能是中轉，"
		 "亦可能由多人共用，不能說明由何人使用。"},

	[PHRASE_EFFECT] = {"Effect on visitors", "Efeito nos visitantes", "對訪客的影響"},
	[PHRASE_EFFECT_FIGURE] = {"Over the whole incident %s of visitors' requests were answered in time.",
				  "Em todo o incidente, %s dos pedidos de visitantes foram respondidos a tempo.",
				  "整個事故期間，訪客請求有 %s 獲及時回應。"},
	[PHRASE_EFFECT_NOTE] =
		{"An estimate: it counts the requests that nothing refused, and of known clients where enough are "
		 "known.",
		 "Uma estimativa: conta os pedidos que nada recusou e, onde bastem, os de clientes conhecidos.",
		 "此為估計：只計未被拒絕的請求；已知用戶足夠時，只計已知用戶。"},

	[PHRASE_ACTIONS] = {"What was done", "O que se fez", "所採行動"},
	[PHRASE_ACTIONS_NOTE] =
		{"As recorded, in English. People are named by their user number on the machine of the gate.",
		 "Tal como registado, em inglês. As pessoas figuram pelo número de utilizador na máquina do portão.",
		 "以下照錄英文紀錄；人員以其在閘道主機上的用戶編號表示。"},
	[PHRASE_TIME] = {"Time", "Hora", "時間"},
	[PHRASE_KIND] = {"By", "Por", "何者"},
	[PHRASE_TEXT] = {"Record", "Registo", "紀錄"},
	[PHRASE_BY_PHASE] = {"course", "evolução", "經過"},
	[PHRASE_BY_GUIA] = {"Guia", "Guia", "Guia"},
	[PHRASE_BY_PERSON] = {"a person", "uma pessoa", "人員"},

	[PHRASE_UNKNOWN] = {"What is not known", "O que não se sabe", "未知之事"},
	[PHRASE_UNKNOWN_WHO] = {"Who caused it, and why.", "Quem o causou, e porquê.", "由何人引起，有何目的。"},
	[PHRASE_UNKNOWN_FORGED] =
		{"Whether those who used the addresses knew of it: devices may be used without their owners' "
		 "knowledge.",
		 "Se quem detém os endereços tinha conhecimento: há aparelhos usados sem que o dono o saiba.",
		 "位址的持有人是否知情：設備可能在物主不知情下被利用。"},
	[PHRASE_UNKNOWN_SIGNATURE] = {"What the requests have in common: no signature has been found.",
				      "O que os pedidos têm em comum: não se encontrou assinatura.",
				      "請求有何共同特徵：尚未找到。"},
	[PHRASE_UNKNOWN_PLACES] = {"Operators and countries: no location data was at hand.",
				   "Operadores e países: não havia dados de localização.",
				   "營辦者及國家：當時沒有位置資料。"},
	[PHRASE_UNKNOWN_END] = {"When it ends: it goes on.", "Quando termina: ainda dura.", "何時結束：事故仍在持續。"},
	[PHRASE_UNKNOWN_VISITORS] = {"How visitors fared: too few were seen.",
				     "Como passaram os visitantes: viram-se poucos.",
				     "訪客受影響的程度：所見訪客太少。"},

	[PHRASE_METHOD] = {"How these figures were made", "Como se fizeram estes números", "數字的由來"},
	[PHRASE_METHOD_COUNTS] =
		{"Requests by what became of them are exact sums of the gate's counters, each second.",
		 "Os pedidos segundo o destino são somas exatas dos contadores do portão, a cada segundo.",
		 "按處理結果分類的請求數，為閘道計數器每秒的精確總和。"},
	[PHRASE_METHOD_SAMPLE] = {"Networks, operators, countries, paths and agents: each second the twenty that led "
				  "the last five seconds are "
				  "added up; of each kind the thousand most frequent are kept. What came seldom is "
				  "missing; what is shown came "
				  "about as often as is said.",
				  "Redes, operadores, países, caminhos e agentes: a cada segundo somam-se os vinte que "
				  "mais vieram nos últimos "
				  "cinco segundos; de cada espécie guardam-se os mil mais frequentes. O que veio pouco "
				  "falta; o que se mostra "
				  "veio mais ou menos quanto se diz.",
				  "網段、營辦者、國家、路徑及用戶代理：每秒累加最近五秒內最多的二十項，每類保留最頻繁的"
				  "一千項。出現甚少者不在其中；所列者約略如數。"},
	[PHRASE_METHOD_ESTIMATE] =
		{"Visitors: requests that no rule, limit, ban or signature refused, over ten seconds; answered means "
		 "within two "
		 "seconds by the site or its cache.",
		 "Visitantes: pedidos que nenhuma regra, limite, interdição ou assinatura recusou, em dez segundos; "
		 "respondido "
		 "quer dizer em dois segundos, pelo sítio ou pela sua cache.",
		 "訪客：十秒內未被規則、限額、封禁或特徵拒絕的請求；獲回應指兩秒內由網站或其快取回應。"},
	[PHRASE_METHOD_TIMES] =
		{"The onset is where figures began to leave what is normal; the other times are when it was written "
		 "down.",
		 "O início é quando os números começaram a afastar-se do normal; as outras horas são as do registo.",
		 "「開始」為數字開始偏離常態之時；其餘為記錄之時。"},
};

static const char *const phases[CASE_PHASES][LANGUAGES] = {
	[CASE_ONSET] = {"onset", "início", "開始"},  [CASE_RISING] = {"rising", "em subida", "上升"},
	[CASE_HELD] = {"held", "contido", "受控"},   [CASE_SUBSIDING] = {"subsiding", "em descida", "回落"},
	[CASE_OVER] = {"over", "terminado", "結束"},
};

const char *phrase(enum phrase phrase, enum language language)
{
	return phrases[phrase][language];
}

const char *phrase_of_phase(enum case_phase phase, enum language language)
{
	return phase < CASE_PHASES ? phases[phase][language] : "?";
}
