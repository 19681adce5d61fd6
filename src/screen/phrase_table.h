/* SAY(name, English, Portuguese, Chinese in traditional characters) */

SAY(COLON, ": ", ": ", "：")
SAY(COMMA, ", ", ", ", "，")
SAY(SEMICOLON, "; ", "; ", "；")
SAY(OVERVIEW, "Overview", "Panorama", "總覽")
SAY(INCIDENTS, "Incidents", "Incidentes", "事故")
SAY(INCIDENT, "Incident %lu", "Incidente %lu", "第 %lu 號事故")
SAY(MEASURES, "Measures", "Medidas", "措施")
SAY(SKIP, "Skip to the content", "Saltar para o conteúdo", "跳至內容")
SAY(PAGES, "Pages", "Páginas", "頁面")
SAY(LANGUAGE, "Language", "Língua", "語言")
SAY(AS_OF, "As of %s.", "Situação às %s.", "截至 %s。")
SAY(WATCH_SILENT, "The watch does not answer: what is shown is from %s. The gate goes on by itself. See: guia status.",
    "A vigia não responde: o que se mostra é de %s. O portão continua sozinho. Veja: guia status.",
    "監察程式沒有回應：以下為 %s 的情況。閘道仍自行運作。請執行 guia status 查看。")
SAY(WATCH_UNHEARD, "The watch has not answered yet.", "A vigia ainda não respondeu.", "監察程式尚未回應。")
SAY(GATE_SILENT, "The gate tells nothing: %s.", "O portão nada diz: %s.", "閘道沒有回報：%s。")

SAY(ALL_UP, "All sites are up.", "Todos os sítios funcionam.", "所有網站運作正常。")
SAY(SITES_ATTACKED, "Sites under attack: %lu.", "Sítios sob ataque: %lu.", "受攻擊的網站：%lu 個。")
SAY(SITES_DOWN, "Sites that do not answer: %lu.", "Sítios que não respondem: %lu.", "沒有回應的網站：%lu 個。")
SAY(SITES_DEGRADED, "Sites degraded: %lu.", "Sítios degradados: %lu.", "服務受限的網站：%lu 個。")
SAY(NO_SITES, "No site is known yet.", "Ainda não se conhece nenhum sítio.", "尚未得知任何網站。")

SAY(PACKETS_PER_S, "%s packets a second", "%s pacotes por segundo", "每秒 %s 個封包")
SAY(PACKETS_FORGED, "Their sources may be forged: nobody is banned because of them.",
    "As origens podem ser forjadas: ninguém é interditado por causa deles.", "來源可能是偽造的：沒有任何人因此被封禁。")

SAY(UP, "up", "funciona", "正常")
SAY(DEGRADED, "degraded", "degradado", "服務受限")
SAY(DOWN, "does not answer", "não responde", "沒有回應")
SAY(ATTACKED, "under attack", "sob ataque", "受攻擊")
SAY(UNWATCHED, "not known yet", "ainda não se sabe", "尚未得知")
SAY(ANSWERS_IN, "answers in %s", "responde em %s", "回應時間 %s")
SAY(REQUESTS_PER_S, "%s requests a second", "%s pedidos por segundo", "每秒 %s 個請求")
SAY(SINCE, "since %s", "desde as %s", "自 %s 起")
SAY(FOR, "for %s", "há %s", "已持續 %s")
SAY(SERVED_AFTER, "visitors served again %s after the onset", "visitantes de novo servidos %s depois do início",
    "開始後 %s 恢復對訪客的服務")
SAY(NOT_SERVED_YET, "visitors not yet served as before", "visitantes ainda não servidos como antes",
    "尚未恢復對訪客的服務")
SAY(SERVED_UNKNOWN, "when visitors were served as before is not known",
    "não se sabe quando os visitantes voltaram a ser servidos como antes", "未知何時恢復對訪客的服務")
SAY(HELD, "held: measures are in force", "contido: há medidas em vigor", "受控：措施已生效")
SAY(NOT_HELD, "not held yet", "ainda não contido", "尚未受控")
SAY(MODE_GUARDED, "mode guarded: only known visitors reach the origin",
    "modo guarded: só visitantes conhecidos chegam à origem", "guarded 模式：只有已知訪客可達源站")
SAY(MODE_LOCAL, "mode local: only home networks reach the origin", "modo local: só as redes locais chegam à origem",
    "local 模式：只有本地網絡可達源站")
SAY(FROM_COPIES, "some answers are last good copies", "algumas respostas são últimas cópias boas",
    "部分回應為最後的完好副本")

SAY(NOW_ON, "An incident is on", "Há um incidente em curso", "事故進行中")
SAY(LAST_ONE, "The latest incident", "O último incidente", "最近的事故")
SAY(NO_INCIDENT, "No flood is on record.", "Não há inundações registadas.", "沒有大量請求的事故紀錄。")
SAY(NO_INCIDENTS, "No incident is on record.", "Não há incidentes registados.", "沒有事故紀錄。")
SAY(NO_HISTORY, "The record of incidents cannot be read: %s.", "O registo de incidentes não se consegue ler: %s.",
    "無法讀取事故紀錄：%s。")
SAY(OPEN_PAGE, "Open its page", "Abrir a sua página", "開啟事故頁面")
SAY(OPEN_REPORT, "Report", "Relatório", "報告")

SAY(ATTACKS, "What comes most", "O que mais chega", "最多的請求")
SAY(ATTACKS_NOTE,
    "Of the last five seconds, visitors' requests among them; beside it what came when nothing was under attack. It "
    "speaks of "
    "addresses, not of who uses them.",
    "Dos últimos cinco segundos, incluindo pedidos de visitantes; ao lado, o que vinha quando nada estava sob ataque. "
    "Fala de "
    "endereços, não de quem os usa.",
    "最近五秒，訪客的請求也在內；旁為無攻擊時的數值。所指為位址，而非使用者。")
SAY(ADDRESSES, "Addresses", "Endereços", "位址")
SAY(TOOLS, "Tools, as they call themselves", "Ferramentas, como se dizem", "自稱的工具")
SAY(RULES, "Rules that matched", "Regras acionadas", "觸發的規則")
SAY(NOW_PER_S, "Now, a second", "Agora, por segundo", "現時每秒")
SAY(QUIET_PER_S, "When quiet", "Sem ataque", "平時每秒")
SAY(NOT_SEEN, "not seen", "não visto", "未見")
SAY(NOTHING_CAME, "Nothing came.", "Nada chegou.", "沒有請求。")
SAY(MEASURES_NUMBERED, "Measures marked in the plot", "Medidas assinaladas no gráfico", "圖中標示的措施")

SAY(CLOSER, "Closer", "Aproximar", "放大")
SAY(FARTHER, "Farther", "Afastar", "縮小")
SAY(ALL_OF_IT, "All of it", "Tudo", "全圖")
SAY(PLOT_HINT,
    "To read values, point at the plot or go along it with the arrow keys. To look closer, drag across it or press + "
    "and −; 0 shows all of it.",
    "Para ler valores, aponte para o gráfico ou percorra-o com as teclas de setas. Para ver de perto, arraste sobre "
    "ele ou prima + e −; 0 mostra-o todo.",
    "讀取數值：把指標移到圖上，或用方向鍵移動。細看：在圖上拖曳，或按 + 和 −；按 0 顯示全圖。")

SAY(NUMBER, "Number", "Número", "編號")
SAY(LASTED, "Lasted", "Duração", "歷時")
SAY(STILL_ON, "goes on, for %s so far", "ainda dura, há %s", "仍在持續，至今 %s")
SAY(OLDER, "Earlier incidents", "Incidentes anteriores", "較早的事故")
SAY(NO_SUCH_INCIDENT, "There is no such incident.", "Não existe esse incidente.", "沒有這個事故。")

SAY(NOT_YET, "not yet", "ainda não", "尚未")
SAY(AFFECTED, "Who is affected", "Quem é afetado", "受影響者")
SAY(AFFECTED_NOW, "%s is under attack now.", "%s está agora sob ataque.", "%s 現正受攻擊。")
SAY(AFFECTED_WAS, "%s was under attack.", "%s esteve sob ataque.", "%s 曾受攻擊。")
SAY(AFFECTED_TAKEN, "%s was watched as well.", "%s foi também observado.", "%s 亦在觀察之列。")
SAY(AFFECTED_DOWN, "At this moment it does not answer visitors.", "Neste momento não responde aos visitantes.",
    "目前未能回應訪客。")
SAY(AFFECTED_SHARE, "Over the incident %s of its visitors' requests were answered in time.",
    "Durante o incidente, %s dos pedidos dos seus visitantes foram respondidos a tempo.",
    "事故期間，其訪客請求有 %s 獲及時回應。")
SAY(AFFECTED_WORST, "In the worst second it was %lu %.", "No pior segundo foram %lu %.", "最差一秒為 %lu %。")
SAY(AFFECTED_UNKNOWN, "Too few visitors came to say how they fared.",
    "Vieram poucos visitantes para dizer como passaram.", "訪客太少，未能得知影響。")
SAY(AFFECTED_NOBODY, "Its visitors have hardly noticed anything.", "Os seus visitantes quase nada notaram.",
    "訪客幾乎未受影響。")
SAY(AFFECTED_COPIES, "Answers that were last good copies, perhaps a few minutes old: %s.",
    "Respostas que foram últimas cópias boas, talvez com alguns minutos: %s.",
    "以最後的完好副本（可能是數分鐘前的內容）回應：%s 次。")

SAY(IF_NOTHING, "If nothing is done", "Se nada se fizer", "若不採取行動")
SAY(IF_OPEN,
    "No measure holds it yet. Guia goes on looking for what the attack's requests have in common, and bans the "
    "addresses that "
    "ask for most. Until something is found the sites stay as they are now, and may get worse; public pages are "
    "answered with "
    "last good copies where there are any.",
    "Nenhuma medida o contém ainda. A Guia continua a procurar o que os pedidos do ataque têm em comum e interdita os "
    "endereços "
    "que mais pedem. Até que algo se encontre, os sítios ficam como estão e podem piorar; as páginas públicas são "
    "respondidas com "
    "últimas cópias boas, onde as há.",
    "尚無措施能控制。Guia "
    "會繼續尋找攻擊請求的共同特徵，並封禁請求最多的位址。在此之前網站維持現狀，亦可能惡化；公開頁面如有最後的完好副本，"
    "會以副本回應。")
SAY(IF_HELD,
    "The measures in force hold it. Each ends by itself after a minute to a quarter of an hour without anything left "
    "to refuse, "
    "and comes back if the attack does. Nothing needs to be done.",
    "As medidas em vigor contêm-no. Cada uma termina por si depois de um minuto a um quarto de hora sem nada para "
    "recusar, e volta "
    "se o ataque voltar. Não é preciso fazer nada.",
    "生效的措施已控制事故。每項措施在一分鐘至一刻鐘內再無可拒絕的請求後自行結束；攻擊再來則再生效。無需採取行動。")
SAY(IF_FALLING, "It is subsiding. The measures end by themselves, and the incident closes.",
    "Está a abrandar. As medidas terminam por si e o incidente fecha.", "事故正在消退。措施會自行結束，事故隨之終結。")
SAY(IF_OVER, "It is over: nothing more happens. What comes within an hour of its end is counted as the same incident.",
    "Terminou: nada mais acontece. O que vier dentro de uma hora após o fim conta como o mesmo incidente.",
    "事故已結束，不會再有變化。結束後一小時內再發生的，視為同一事故。")
SAY(INTRUSIONS_ON, "Intrusions under way", "Intrusões em curso", "進行中的入侵")
SAY(IF_ORDERS, "What people ordered holds until its time is over: see below.",
    "O que as pessoas ordenaram vigora até ao seu termo: veja abaixo.", "人員下達的命令到期方止，見下文。")

SAY(IN_FORCE_NOW, "In force now", "Em vigor agora", "現正生效")
SAY(NOTHING_IN_FORCE, "Nothing of Guia's or of a person's is in force.",
    "Nada da Guia nem de uma pessoa está em vigor.", "目前沒有 Guia 或人員的措施生效。")
SAY(UNTIL, "Until", "Até", "至")
SAY(BY, "By", "Por", "由")
SAY(WHY, "Why", "Motivo", "原因")
SAY(WHAT, "What", "O quê", "內容")
SAY(UNDO, "Undo", "Desfazer", "撤銷")
SAY(SORT, "Kind", "Tipo", "類別")
SAY(REASON, "Reason for undoing it, kept on record", "Motivo para desfazer, que fica registado", "撤銷原因（會留紀錄）")
SAY(A_BAN, "ban", "interdição", "封禁")
SAY(AN_ALLOWANCE, "allowed", "autorização", "放行")
SAY(A_MODE, "mode of the site", "modo do sítio", "網站模式")
SAY(A_SIGNATURE, "signature", "assinatura", "特徵")
SAY(USER, "user %s", "utilizador %s", "用戶 %s")
SAY(LIFT_BAN, "Lift the ban of %s", "Levantar a interdição de %s", "解除對 %s 的封禁")
SAY(LIFT_ALLOWANCE, "End the allowance of %s", "Terminar a autorização de %s", "取消對 %s 的放行")
SAY(END_MODE, "Open %s again", "Reabrir %s", "重新開放 %s")
SAY(LIFT_MEASURE, "Lift measure %s", "Levantar a medida %s", "解除第 %s 項措施")
SAY(MORE_BANS, "And %lu more: guia ban.", "E mais %lu: guia ban.", "另有 %lu 項：guia ban。")
SAY(UNTIL_LIFTED, "until it is lifted", "até ser levantada", "直至解除")

SAY(ORDER_DONE, "Done: %s", "Feito: %s", "已完成：%s")
SAY(ORDER_REFUSED, "Not done: %s", "Não feito: %s", "未能完成：%s")

SAY(REFUSED_HERE, "Refused", "Recusado", "未獲接納")
SAY(REFUSED_SESSION,
    "This page needs a session. Open the address that guia serve printed, or print a new one: guia screen --address",
    "Esta página precisa de uma sessão. Abra o endereço que o guia serve escreveu, ou peça outro: guia screen "
    "--address",
    "須先登入。請開啟 guia serve 印出的位址，或執行 guia screen --address 取得新的位址。")
SAY(REFUSED_TOKEN, "This address was used already, or is too old. Print a new one: guia screen --address",
    "Este endereço já foi usado, ou é demasiado antigo. Peça outro: guia screen --address",
    "此位址已被使用或已過期。請執行 guia screen --address 取得新的位址。")
SAY(NOT_AHEAD, "This address lets in once, and not a browser that fetches it ahead of its user. Open it.",
    "Este endereço dá entrada uma só vez, e não ao navegador que o carrega antecipadamente. Abra-o.",
    "此位址只可使用一次，瀏覽器預先載入並不算數。請開啟此位址。")
SAY(REFUSED_FORM, "This form is not of this session, or came from elsewhere. Nothing was changed.",
    "Este formulário não é desta sessão, ou veio de outro lado. Nada foi alterado.",
    "此表格不屬於目前的登入，或來自他處。沒有任何更改。")
SAY(FAILED, "That did not work", "Não foi possível", "未能完成")
SAY(REPORT_FAILED, "The report cannot be made: the record of incidents cannot be read.",
    "O relatório não se consegue fazer: o registo de incidentes não se consegue ler.",
    "無法製作報告：無法讀取事故紀錄。")
SAY(NOT_FOUND, "There is no such page.", "Não existe essa página.", "沒有這個頁面。")
SAY(WELCOME, "You are in.", "Sessão iniciada.", "已登入。")
SAY(GO_ON, "Go on to the overview", "Continuar para o panorama", "前往總覽")
SAY(LIVE_LOST, "No longer live: trying again.", "Já não em direto: a tentar de novo.", "即時更新中斷，正在重試。")

/* An intrusion's page. What was refused never reached the site, or never left it. */
SAY(AFFECTED_SCAN, "%s was searched for weak spots.", "%s foi sondado à procura de pontos fracos.",
    "%s 被逐一試探有無弱點。")
SAY(AFFECTED_INJECTION,
    "Requests to %s held commands meant for what is behind it: its database, its programs, its files, or the browsers "
    "of its visitors.",
    "Pedidos a %s continham comandos destinados ao que está por trás do sítio: a base de dados, os programas, os "
    "ficheiros, ou os navegadores dos visitantes.",
    "發往 %s 的請求含有指令，目標是網站背後的資料庫、程式、檔案，或訪客的瀏覽器。")
SAY(AFFECTED_LEAK,
    "Answers of %s held what nobody outside should see, such as error messages, parts of programs, or data.",
    "Respostas de %s continham o que ninguém de fora deve ver, como mensagens de erro, partes de programas, ou dados.",
    "%s 的回應含有不應外露的內容，例如錯誤訊息、程式片段或資料。")
SAY(AFFECTED_SHELL,
    "A file that looks like a program was sent to %s, or an answer of it looks like that of such a program.",
    "A %s foi enviado um ficheiro que parece um programa, ou uma resposta sua parece a de um programa desses.",
    "%s 收到形似程式的檔案，或其回應與此類程式的回應相似。")
SAY(REFUSED_COUNT, "Refused: %s.", "Recusados: %s.", "已拒絕：%s 個。")
SAY(THROUGH_COUNT, "Let through: %s.", "Deixados passar: %s.", "已放行：%s 個。")
SAY(WITHHELD_COUNT, "Withheld: %s.", "Retidas: %s.", "已攔下：%s 個。")
SAY(WENT_OUT_COUNT, "Went out: %s.", "Saíram: %s.", "已發出：%s 個。")
SAY(SCAN_REFUSED, "Visitors notice nothing of it.", "Os visitantes nada notam.", "訪客不會察覺。")
SAY(SCAN_THROUGH,
    "What was let through was answered as for any visitor; whether a weak spot was found is not known. Visitors notice "
    "nothing of it.",
    "Ao que passou respondeu-se como a qualquer visitante; não se sabe se foi encontrado algum ponto fraco. Os "
    "visitantes nada notam.",
    "放行的請求一如一般訪客獲得回應；有否找到弱點，尚未得知。訪客不會察覺。")
SAY(INJECTION_REFUSED, "Nothing of it reached the site; visitors are not affected.",
    "Nada disso chegou ao sítio; os visitantes não são afetados.", "請求沒有到達網站，訪客不受影響。")
SAY(INJECTION_THROUGH,
    "If one of them worked, it affects those whose data the site keeps, and everybody who uses it. Whether one did is "
    "not known.",
    "Se algum resultou, são afetados aqueles cujos dados o sítio guarda e todos os que o utilizam. Não se sabe se "
    "algum resultou.",
    "若其中有請求得逞，資料存於該網站的人及所有使用者均受影響。是否得逞，尚未得知。")
SAY(LEAK_REFUSED, "Nobody outside has seen it. Whoever asks for such a page gets an error in its place.",
    "Ninguém de fora o viu. Quem pedir uma dessas páginas recebe um erro em vez dela.",
    "外界沒有看到。索取這些頁面的人會看到錯誤頁。")
SAY(LEAK_THROUGH, "Whoever asked has seen it. If it speaks of people, it is they who are affected.",
    "Quem pediu viu-o. Se diz respeito a pessoas, são elas as afetadas.",
    "發出請求者已看到內容。內容若涉及個人，受影響的就是這些人。")
SAY(SHELL_REFUSED, "The file did not reach the site, or the answer did not leave it; visitors are not affected.",
    "O ficheiro não chegou ao sítio, ou a resposta não saiu; os visitantes não são afetados.",
    "檔案沒有到達網站，或回應沒有發出；訪客不受影響。")
SAY(SHELL_THROUGH,
    "If such a program is in place, whoever calls it can do all that the site itself can: read what it keeps, change "
    "its pages, go on to other machines. Then everybody who uses the site is affected.",
    "Se um programa desses lá estiver, quem o chamar pode tudo o que o próprio sítio pode: ler o que ele guarda, "
    "alterar "
    "páginas, passar a outras máquinas. Nesse caso são afetados todos os que o utilizam.",
    "此類程式一旦置入，呼叫它的人便可做到網站本身所能做的一切：讀取所存資料、竄改頁面、進而侵入其他機器。屆時所有使用者"
    "均受影響。")

SAY(IF_SCAN_REFUSED,
    "Rules go on refusing what they match, and it ends when its list is through. It does no harm by itself; what it "
    "finds may be used later. Nothing needs to be done now.",
    "As regras continuam a recusar aquilo a que correspondem, e a sondagem acaba quando chegar ao fim da sua lista. "
    "Por "
    "si só não causa dano; o que encontrar pode vir a ser usado. Agora não é preciso fazer nada.",
    "規則會繼續拒絕與其相符的請求；掃描走完其清單便會停止。掃描本身不造成損害，但所得可能日後被利用。目前無需處理。")
SAY(IF_SCAN_THROUGH,
    "Rules go on refusing what they match; the rest is answered as for any visitor, until its list is through. It does "
    "no harm by itself; what it finds may be used later. Whoever looks after the site should go through the paths "
    "below "
    "in the course of the day.",
    "As regras continuam a recusar aquilo a que correspondem; ao resto responde-se como a qualquer visitante, até a "
    "sondagem chegar ao fim da sua lista. Por si só não causa dano; o que encontrar pode vir a ser usado. Quem cuida "
    "do "
    "sítio deve ver os caminhos abaixo no decorrer do dia.",
    "規則會繼續拒絕與其相符的請求，其餘的一如一般訪客獲得回應，直至掃描走完其清單。掃描本身不造成損害，但所得可能日後被"
    "利用。網站負"
    "責人員應於當日內檢視下列路徑。")
SAY(IF_INJECTION_REFUSED,
    "Rules go on refusing it, and nothing of it reaches the site. Other ways in may be tried next: whoever looks after "
    "the site should know. Nothing needs to be done now.",
    "As regras continuam a recusá-lo, e nada disso chega ao sítio. Podem ser tentadas a seguir outras entradas: quem "
    "cuida do sítio deve ser informado. Agora não é preciso fazer nada.",
    "規則會繼續拒絕，請求不會到達網站。其後可能改試其他途徑，應讓網站負責人員知悉。目前無需處理。")
SAY(IF_INJECTION_THROUGH,
    "What was let through may already have worked, and more of its kind will be let through. Tell whoever looks after "
    "the site now: the paths and rules below say what to look for in its records. Ban the addresses if they have no "
    "other business with the site.",
    "O que passou pode já ter resultado, e mais da mesma espécie passará. Avise já quem cuida do sítio: os caminhos e "
    "as "
    "regras abaixo dizem o que procurar nos seus registos. Interdite os endereços se nada mais tiverem a fazer no "
    "sítio.",
    "已放行的請求可能已經得逞，同類請求亦會繼續放行。請立即通知網站負責人員：下列路徑和規則指出應在其紀錄中查找甚麼。位"
    "址如與網站別無往"
    "來，可予封禁。")
SAY(IF_LEAK_REFUSED,
    "Rules go on withholding these answers. The fault is in the site and stays: such pages show an error until it is "
    "mended. Tell whoever looks after the site.",
    "As regras continuam a reter essas respostas. A falha está no sítio e mantém-se: até ser corrigida, essas páginas "
    "dão erro. Avise quem cuida do sítio.",
    "規則會繼續攔下這些回應。問題出在網站本身，仍然存在：修正之前，這些頁面只會顯示錯誤。請通知網站負責人員。")
SAY(IF_LEAK_THROUGH,
    "The site goes on giving this to whoever asks. Tell whoever looks after it now: what answers at the paths below is "
    "to "
    "be mended, or closed until it is.",
    "O sítio continua a entregá-lo a quem o pedir. Avise já quem cuida dele: o que responde nos caminhos abaixo tem de "
    "ser corrigido, ou fechado até o ser.",
    "網站仍會把這些內容交給任何索取者。請立即通知網站負責人員：下列路徑的內容須予修正，修正之前應先關閉。")
SAY(IF_SHELL_REFUSED,
    "Rules go on refusing it. Whoever looks after the site should make sure that no such file is there: one may have "
    "come "
    "by another way.",
    "As regras continuam a recusá-lo. Quem cuida do sítio deve certificar-se de que lá não está nenhum ficheiro "
    "desses: "
    "algum pode ter entrado por outra via.",
    "規則會繼續拒絕。網站負責人員應確認網站上沒有此類檔案：檔案可能經其他途徑置入。")
SAY(IF_SHELL_THROUGH,
    "This is the gravest kind. If the program is in place, it can be used at any moment, also by ways that Guia does "
    "not "
    "see. Call whoever looks after the site now, whatever the hour: the file is to be found, kept as evidence, and "
    "taken "
    "away; until then, close the site to strangers.",
    "É a espécie mais grave. Se o programa lá estiver, pode ser usado a qualquer momento, também por vias que a Guia "
    "não "
    "vê. Chame já quem cuida do sítio, seja a que hora for: o ficheiro tem de ser encontrado, guardado como prova e "
    "retirado; até lá, feche o sítio a estranhos.",
    "這是最嚴重的一類。程式若已置入，隨時可被使用，包括經 Guia "
    "看不到的途徑。不論何時，請立即聯絡網站負責人員：找出該檔案，留作證據，然後移除；在此之前，網站應停止對外人開放。")
SAY(IF_INTRUSION_FALLING, "Nothing of it has come for a minute. After five minutes without any it is over.",
    "Há um minuto que nada disto chega. Ao fim de cinco minutos assim, termina.",
    "一分鐘內再無此類請求；滿五分鐘，事故即告終結。")
SAY(IF_INTRUSION_OVER,
    "It is over: nothing of it has come for five minutes. What comes from the same within an hour is counted as the "
    "same "
    "incident.",
    "Terminou: há cinco minutos que nada disto chega. O que vier dos mesmos dentro de uma hora conta como o mesmo "
    "incidente.",
    "事故已結束：五分鐘內再無此類請求。同一來源一小時內再來，視為同一事故。")
SAY(THROUGH_REMAINS, "What was let through remains to be looked into.", "O que passou continua por averiguar.",
    "已放行的請求仍有待查明。")

SAY(ORDERS_TO_GIVE, "What you can order, in a terminal", "O que pode ordenar, num terminal", "可在終端機下達的命令")
SAY(ORDER_BAN, "refuse an address that has no other business with the site",
    "recusar um endereço que nada mais tem a fazer no sítio", "拒絕與網站別無往來的位址")
SAY(ORDER_CLOSE, "only home networks reach the site", "só as redes locais chegam ao sítio", "只有本地網絡可達網站")
SAY(ORDER_HOLD, "keep all records of it from being deleted", "impedir que os seus registos sejam apagados",
    "不讓相關紀錄被刪除")
SAY(NOT_BY_ITSELF,
    "Against an intrusion Guia puts nothing in force by itself: rules refuse request by request. What people ordered "
    "is "
    "below, each with a button that undoes it.",
    "Contra uma intrusão a Guia nada põe em vigor por si: as regras recusam pedido a pedido. O que as pessoas "
    "ordenaram "
    "está abaixo, cada coisa com um botão que a desfaz.",
    "對於入侵，Guia 不會自行施行措施：規則逐個請求拒絕。人員下達的命令列於下方，各有按鈕可撤銷。")
SAY(TRIED, "What was tried", "O que se tentou", "嘗試了甚麼")
SAY(CAME_OUT, "What was in the answers", "O que estava nas respostas", "回應中有甚麼")
SAY(LET_THROUGH, "Let through", "Deixados passar", "已放行")
SAY(REFUSED_BY_RULES, "Refused", "Recusados", "已拒絕")
