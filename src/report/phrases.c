/* A row is a phrase, a column a language. A format has the same placeholder in all of its columns. */
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
			 "Feito em %s, com o que então constava do registo.", "於 %s 根據當時的紀錄製成。"},
	[PHRASE_ALL_UTC] = {"All times are UTC.", "Todas as horas são UTC.", "所有時間均為協調世界時（UTC）。"},
	[PHRASE_NOT_YET_KNOWN] = {"not yet known", "ainda não se sabe", "尚未得知"},
	[PHRASE_NONE] = {"none", "nenhum", "無"},

	[PHRASE_SUMMARY] = {"Summary", "Resumo", "摘要"},
	[PHRASE_KIND_OF] = {"Kind", "Tipo", "類別"},
	[PHRASE_PHASE] = {"Phase", "Fase", "階段"},
	[PHRASE_ONSET] = {"Onset", "Início", "開始"},
	[PHRASE_DETECTED] = {"Detected", "Detetado", "偵測到"},
	[PHRASE_HELD] = {"Held at every site", "Contido em todos os sítios", "全部網站受控"},
	[PHRASE_ALL_REFUSED] = {"All of it refused", "Tudo recusado", "全部遭拒絕"},
	[PHRASE_RESTORED] = {"Visitors served again", "Visitantes de novo servidos", "恢復對訪客的服務"},
	[PHRASE_OVER] = {"Over", "Terminado", "結束"},
	[PHRASE_AFTER] = {"%s after the onset", "%s depois do início", "開始後 %s"},
	[PHRASE_RETURNED] = {"Came back within an hour", "Voltou dentro de uma hora", "一小時內再度發生（次數）"},
	[PHRASE_WORST] = {"Worst second", "Pior segundo", "單秒最高"},
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
	[PHRASE_NO_SLOT] = {"no room at the origin", "sem lugar na origem", "源站已滿載"},
	[PHRASE_OTHER] = {"not inspected", "não inspecionados", "未經檢查"},
	[PHRASE_COPIES] = {"of the passed: last good copies", "dos que passaram: últimas cópias boas",
			   "放行之中以最後完好副本回應"},

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
	[PHRASE_OPERATORS] = {"Operators", "Operadores", "網絡營運商"},
	[PHRASE_COUNTRIES] = {"Countries and regions", "Países e regiões", "國家及地區"},
	[PHRASE_PATHS] = {"Paths", "Caminhos", "路徑"},
	[PHRASE_AGENTS] = {"Agents, as they call themselves", "Agentes, como se dizem", "用戶代理（自稱）"},
	[PHRASE_REQUESTS] = {"Requests", "Pedidos", "請求數"},
	[PHRASE_PLACES] = {"Operators and countries are those of the address in the data of %s.",
			   "Operadores e países são os do endereço segundo os dados de %s.",
			   "營運商及國家按 %s 的位址資料得出。"},
	[PHRASE_ADDRESSES] = {"Addresses", "Endereços", "位址"},
	[PHRASE_SOURCES_OF_ALL] = {"Of all requests, visitors' among them.",
				   "De todos os pedidos, incluindo os de visitantes.",
				   "以下包括所有請求，訪客的也在內。"},
	[PHRASE_SOURCES_OF_THESE] = {"Of the requests of this incident alone.", "Só dos pedidos deste incidente.",
				     "以下只計屬本事故的請求。"},
	[PHRASE_SOURCES_NOTE] =
		{"Confidence: the network of an address is certain where a connection was completed from it; its "
		 "operator is likely; its country is an indication only. An address may be a relay, or shared by many, "
		 "and says nothing of who used it.",
		 "Confiança: a rede de um endereço é certa quando dele se completou uma ligação; o operador é "
		 "provável; o país é apenas um indício. Um endereço pode ser um intermediário, ou partilhado por "
		 "muitos, e nada diz sobre quem o usou.",
		 "可信程度：完成連線的位址，其網段可以確定；營運商大致可信；國家僅供參考。位址可能是中轉，亦可能由多人"
		 "共"
		 "用，不能說明由何人使用。"},

	[PHRASE_PACKETS] = {"Packets that became no request", "Pacotes que não chegaram a ser pedidos",
			    "未成為請求的封包"},
	[PHRASE_PACKETS_NOTE] =
		{"Counted where they come in; the rest is from samples of their heads. Their sources may be forged: "
		 "nobody is named or banned because of them.",
		 "Contados à entrada; o resto provém de amostras dos seus cabeçalhos. As origens podem ser forjadas: "
		 "ninguém é nomeado nem interditado por causa deles.",
		 "數目在入口處計得；其餘來自封包標頭的抽樣。來源可能是偽造的：沒有任何人因此被指名或封禁。"},
	[PHRASE_PACKETS_TO] = {"To; protocol and port", "Para; protocolo e porta", "目的地；協定及埠號"},
	[PHRASE_PACKETS_FROM] = {"Networks in their heads (may be forged)", "Redes nos cabeçalhos (podem ser forjadas)",
				 "標頭所示的網絡（可能是偽造的）"},
	[PHRASE_PACKETS_COUNT] = {"Packets", "Pacotes", "封包數"},

	[PHRASE_ACTOR] = {"What was grouped together", "O que se agrupou", "歸為一組的請求"},
	[PHRASE_ACTOR_NOTE] =
		{"Requests that share a network, a tool, what they asked for and the class of attack are taken "
		 "together. "
		 "Who sent them is not known: one group may be the doing of several, and one person's requests may be "
		 "in "
		 "several groups.",
		 "Tomam-se juntos os pedidos que partilham rede, ferramenta, o que pediram e a classe de ataque. Não "
		 "se "
		 "sabe quem os enviou: um grupo pode ser obra de vários, e os pedidos de uma só pessoa podem estar em "
		 "vários grupos.",
		 "網段、工具、所請求的內容及攻擊類型相同的請求歸為一組。由何人發出並不知道：一組可能出自多人，一人的請"
		 "求亦可能分屬"
		 "多組。"},
	[PHRASE_OF_NOTE] = {"Requests that rules matched", "Pedidos a que regras corresponderam", "與規則相符的請求"},
	[PHRASE_NOT_THERE] = {"Requests for what is not there", "Pedidos do que não existe", "索取不存在內容的請求"},
	[PHRASE_CAME_TO] = {"It came to", "Chegou a", "涉及"},
	[PHRASE_RULES] = {"Rules that matched", "Regras que corresponderam", "相符的規則"},

	[PHRASE_EFFECT] = {"Effect on visitors", "Efeito nos visitantes", "對訪客的影響"},
	[PHRASE_EFFECT_FIGURE] = {"Over the whole incident %s of visitors' requests were answered in time.",
				  "Em todo o incidente, %s dos pedidos de visitantes foram respondidos a tempo.",
				  "整個事故期間，訪客請求有 %s 獲及時回應。"},
	[PHRASE_EFFECT_NOTE] =
		{"An estimate: it counts the requests that nothing refused, and of known clients where enough are "
		 "known.",
		 "Uma estimativa: conta os pedidos que nada recusou e, onde bastem, os de clientes conhecidos.",
		 "此為估計：只計未被拒絕的請求；已知用戶足夠時，只計已知用戶。"},

	[PHRASE_EFFECT_UNCOUNTED] =
		{"Not yet known: for an incident of this kind visitors are not counted apart.",
		 "Ainda não se sabe: num incidente desta espécie não se contam os visitantes à parte.",
		 "尚未得知：此類事故不另行統計訪客。"},

	[PHRASE_ACTIONS] = {"What was done", "O que se fez", "所採行動"},
	[PHRASE_ACTIONS_NOTE] =
		{"As recorded, in English. People are named by their user number on the machine of the gate.",
		 "Tal como registado, em inglês. As pessoas figuram pelo número de utilizador na máquina do portão.",
		 "以下照錄英文紀錄；人員以其在閘道主機上的用戶編號表示。"},
	[PHRASE_ACTIONS_LEFT_OUT] = {"%lu records in between are not shown here; guia incidents --json has all.",
				     "%lu registos intermédios não figuram aqui; guia incidents --json tem todos.",
				     "其間 %lu 項紀錄此處從略；guia incidents --json 列出全部。"},
	[PHRASE_TIME] = {"Time", "Hora", "時間"},
	[PHRASE_KIND] = {"By", "Por", "由"},
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
		 "位址的持有人是否知情：設備可能在物主不知情的情況下被利用。"},
	[PHRASE_UNKNOWN_SIGNATURE] = {"What the requests have in common: no signature has been found.",
				      "O que os pedidos têm em comum: não se encontrou assinatura.",
				      "請求有何共同特徵：尚未找到。"},
	[PHRASE_UNKNOWN_PLACES] = {"Operators and countries: no location data was at hand.",
				   "Operadores e países: não havia dados de localização.",
				   "營運商及國家：當時沒有位置資料。"},
	[PHRASE_UNKNOWN_END] = {"When it ends: it goes on.", "Quando termina: ainda dura.", "何時結束：事故仍在持續。"},
	[PHRASE_UNKNOWN_VISITORS] = {"How visitors fared: too few were seen.",
				     "Como passaram os visitantes: viram-se poucos.",
				     "訪客受影響的程度：訪客數目太少。"},

	[PHRASE_UNKNOWN_SUCCESS] = {"Whether the requests that were not refused had an effect behind the site.",
				    "Se os pedidos que não foram recusados tiveram efeito por trás do sítio.",
				    "未遭拒絕的請求有否在網站背後產生作用。"},

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
				  "網段、營運商、國家、路徑及用戶代理：每秒累加最近五秒內最多的二十項，每類保留最頻繁的"
				  "一千項。出現甚少的不在其中；所列的數目大致準確。"},
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
		 "「開始」是數字開始偏離常態的時刻；其餘是記錄的時刻。"},
	[PHRASE_METHOD_GROUPS] =
		{"A request belongs to a group by its address, or by signs it shares with the group within ten "
		 "minutes: a "
		 "network (/24, /48), the tool's name, the order of its headers, what it asked for, the class of "
		 "attack. "
		 "Where there are more than twenty-four addresses or paths their number is an estimate.",
		 "Um pedido pertence a um grupo pelo endereço, ou por sinais que com ele partilha em dez minutos: a "
		 "rede "
		 "(/24, /48), o nome da ferramenta, a ordem dos cabeçalhos, o que pediu, a classe de ataque. Com mais "
		 "de "
		 "vinte e quatro endereços ou caminhos, o número é uma estimativa.",
		 "請求按位址歸組，或按十分鐘內與該組相同的特徵歸組：網段（/24、/"
		 "48）、工具名稱、標頭次序、所請求的內容、攻擊類型。位址"
		 "或路徑多於二十四個時，數目為估計。"},
	[PHRASE_METHOD_FINDINGS] =
		{"The gate tells of each site, in each of its processes, up to 5,000 blocked requests a second and 200 "
		 "in "
		 "which rules matched without blocking; what passed that is counted for the site, not for a group.",
		 "De cada sítio, em cada processo, o portão relata até 5000 pedidos bloqueados por segundo e 200 em "
		 "que "
		 "regras corresponderam sem bloquear; o que excedeu conta-se para o sítio, não para um grupo.",
		 "閘道的每個程序就每個網站每秒最多報告 5,000 個被攔截的請求，以及 200 "
		 "個與規則相符而未被攔截的請求；超出者計入網站，"
		 "不計入任何一組。"},
	[PHRASE_METHOD_KEPT] =
		{"Addresses, networks, paths, agents and rules: of each the thousand most frequent are kept.",
		 "Endereços, redes, caminhos, agentes e regras: de cada espécie guardam-se os mil mais frequentes.",
		 "位址、網段、路徑、用戶代理及規則：每類保留最頻繁的一千項。"},
};

static const char *const phases[CASE_PHASES][LANGUAGES] = {
	[CASE_ONSET] = {"onset", "início", "開始"},  [CASE_RISING] = {"rising", "em subida", "上升"},
	[CASE_HELD] = {"held", "contido", "受控"},   [CASE_SUBSIDING] = {"subsiding", "em descida", "回落"},
	[CASE_OVER] = {"over", "terminado", "結束"},
};

/* Of an intrusion: nothing rises or falls, but it goes on, and is refused or not. */
static const char *const intrusion_phases[CASE_PHASES][LANGUAGES] = {
	[CASE_ONSET] = {"just begun", "acabou de começar", "剛剛開始"},
	[CASE_RISING] = {"goes on, not all of it refused", "continua, nem tudo é recusado", "持續中，並非全部遭拒"},
	[CASE_HELD] = {"goes on, all of it refused", "continua, é tudo recusado", "持續中，全部遭拒"},
	[CASE_SUBSIDING] = {"nothing more for a minute", "nada mais há um minuto", "一分鐘內再無此類請求"},
	[CASE_OVER] = {"over", "terminado", "結束"},
};

static const char *const kinds[CASE_KINDS][LANGUAGES] = {
	[CASE_FLOOD] = {"flood of requests", "inundação de pedidos", "大量請求"},
	[CASE_SCAN] = {"scan: it is tried out what the sites answer to",
		       "sondagem: experimenta-se a que respondem os sítios", "掃描：試探網站有何反應"},
	[CASE_INJECTION] = {"injection: commands for what is behind the sites",
			    "injeção: comandos para o que está por trás dos sítios", "注入：向網站背後的系統下達指令"},
	[CASE_LEAK] = {"leak: an answer held what nobody should see",
		       "fuga: uma resposta continha o que ninguém deve ver", "洩漏：回應含有不應外露的內容"},
	[CASE_SHELL] = {"shell: a program was uploaded, or answers as one",
			"programa: foi enviado, ou há o que responda como tal",
			"程式：曾上載程式，或有回應似由此類程式發出"},
};

const char *phrase(enum phrase phrase, enum language language)
{
	return phrases[phrase][language];
}

const char *phrase_of_phase(enum case_kind kind, enum case_phase phase, enum language language)
{
	if (phase >= CASE_PHASES)
		return "?";
	return kind == CASE_FLOOD ? phases[phase][language] : intrusion_phases[phase][language];
}

static const char *const packets[PACKET_FLOODS][LANGUAGES] = {
	[PACKET_FLOOD_UDP] = {"UDP above the edge's budget", "UDP acima do limite de entrada",
			      "超出入口限額的 UDP 封包"},
	[PACKET_FLOOD_FRAGMENTS] = {"Fragments above the edge's budget", "Fragmentos acima do limite de entrada",
				    "超出入口限額的分段封包"},
	[PACKET_FLOOD_SYN] = {"SYNs above the edge's budget that become no connection",
			      "SYN acima do limite de entrada que não se tornam ligações",
			      "超出入口限額而未成為連線的 SYN 封包"},
	[PACKET_FLOOD_MALFORMED] = {"Malformed packets", "Pacotes malformados", "格式錯誤的封包"},
	[PACKET_FLOOD_LINK] = {"Packets that fill the link", "Pacotes que enchem a linha", "佔滿線路的封包"},
};

const char *phrase_of_packets(enum packet_flood_kind kind, enum language language)
{
	return packets[kind][language];
}

const char *phrase_of_kind(enum case_kind kind, enum language language)
{
	return kind < CASE_KINDS ? kinds[kind][language] : "?";
}
