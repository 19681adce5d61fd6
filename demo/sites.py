"""The four sample sites: what a small public-service website of Macao has on it. Everything on them is made up."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Article:
    slug: str
    date: str
    title: str
    body: str


@dataclass(frozen=True)
class Site:
    key: str
    host: str
    zh: str
    pt: str
    en: str
    about: str
    services: tuple  # (slug, title, text)
    news: tuple = field(default=())  # of Article
    records: tuple = field(default=())  # what the search and the JSON API know


SECRETARY = Site(
    key="secretary",
    host="secretary.localhost",
    zh="保安事務司司長辦公室",
    pt="Gabinete do Secretário para a Segurança",
    en="Office of the Secretary for Security",
    about="The office coordinates policy on public security and answers to the public for it. Letters are answered "
    "within ten working days; urgent matters go to the duty line.",
    services=(
        ("meet", "Request a meeting · 約見 · Pedir audiência", "Say who you are, what it is about and when you can come."),
        ("consultation", "Public consultation · 公開諮詢 · Consulta pública", "Read the drafts; send your opinion by the form."),
        ("statistics", "Crime statistics · 罪案統計 · Estatísticas", "Published each quarter, with notes on how cases are counted."),
    ),
    news=(
        Article("q2-figures", "2026-08-20", "Second quarter: fewer burglaries, more online fraud",
                "Reported burglaries fell by 8% on the year before. Fraud by telephone and online rose by 12%; most "
                "victims were asked to move money to a \"safe account\". The police never ask for that."),
        Article("typhoon-drill", "2026-09-03", "颱風應變演習順利完成",
                "各部門於今晨八時至十一時進行聯合演習，測試通報、疏散及交通管制安排。感謝市民配合。"),
        Article("nova-lei", "2026-10-11", "Entrou em vigor a lei da cibersegurança revista",
                "Os operadores de infra-estruturas críticas têm 90 dias para actualizar os planos de resposta."),
    ),
    records=("Annual report 2025", "Relatório anual 2025", "二零二五年年度報告", "Consultation: drones & airspace",
             "O'Neill v. Administration (2019)", "Q&A: select committee, union of crafts, and order of business"),
)

POLICE = Site(
    key="police",
    host="police.localhost",
    zh="治安警察局",
    pt="Corpo de Polícia de Segurança Pública",
    en="Public Security Police Force",
    about="Emergency 999. Lost and found, traffic fines, residence permits and certificates of conduct are handled "
    "online or at any station.",
    services=(
        ("fines", "Traffic fines · 交通罰款 · Multas", "Look up a fine by plate (for example MX-12-34) and pay it."),
        ("lost-found", "Lost and found · 失物 · Perdidos e achados", "Describe what you lost: colour, brand, where, when."),
        ("permits", "Residence permits · 居留許可 · Autorização", "Book an appointment; bring your passport & two photos."),
    ),
    news=(
        Article("border", "2026-09-28", "Border crossings during Golden Week",
                "Expect queues between 10:00 and 13:00. Travellers with children or wheelchairs may use lane 4."),
        Article("scam", "2026-10-02", "提防假冒警務人員電話",
                "警方不會以電話要求市民提供銀行密碼或一次性密碼。如有懷疑，請致電 993。"),
        Article("transito", "2026-10-19", "Cortes de trânsito na Avenida da Amizade",
                "Das 22h00 às 06h00, por obras. Siga a sinalização; os autocarros 3A, 10 e 12 mudam de percurso."),
    ),
    records=("MX-12-34 parking, paid", "MT-55-01 speeding, open", "Lost: black wallet, D'Angelo brand",
             "失物：藍色背包（內有課本）", "Achado: telemóvel com capa <vermelha>"),
)

FIRE = Site(
    key="fire",
    host="fire.localhost",
    zh="消防局",
    pt="Corpo de Bombeiros",
    en="Fire Services Bureau",
    about="Fire and ambulance: 119. The bureau inspects buildings, trains fire wardens and certifies equipment.",
    services=(
        ("inspection", "Ask for an inspection · 申請巡查 · Vistoria", "For restaurants, hotels, warehouses and schools."),
        ("report", "Report a hazard · 舉報火警隱患 · Denunciar perigo", "Blocked exits, wedged fire doors, broken alarms."),
        ("training", "Warden training · 防火培訓 · Formação", "Half a day, in Cantonese, Portuguese or English."),
    ),
    news=(
        Article("candles", "2026-09-15", "Mid-Autumn Festival: lanterns and candles",
                "Never boil wax. Keep water close. Two children were burned last year; let us make it none."),
        Article("ambulance", "2026-10-05", "新增三輛救護車投入服務", "新車配備心電圖傳送系統，縮短送院前診斷時間。"),
        Article("exercicio", "2026-10-22", "Simulacro no Hospital de São Januário",
                "Participam 120 pessoas. As sirenes tocam às 15h00; não é necessário telefonar para o 119."),
    ),
    records=("Certificate FS-2026-0193", "Warden course: 14 November, 9:30", "滅火筒檢測中心名單",
             "Lista de extintores aprovados (PDF, 1.2 MB)", "1=yes 2=no 3=unknown: the inspection form explained"),
)

SERVICES = Site(
    key="services",
    host="services.localhost",
    zh="保安部隊事務局",
    pt="Direcção dos Serviços das Forças de Segurança",
    en="Security Forces Affairs Bureau",
    about="Recruitment, purchasing, vehicles, buildings and computing for the security forces.",
    services=(
        ("recruitment", "Recruitment · 招考 · Recrutamento", "Upload your form (PDF or picture) before the closing date."),
        ("tenders", "Tenders · 招標 · Concursos", "Open tenders with their papers; questions by e-mail."),
        ("buildings", "Buildings · 樓宇 · Edifícios", "Works in progress and when they end."),
    ),
    news=(
        Article("cadets", "2026-08-30", "62 cadets sworn in",
                "The oldest is 34, the youngest 18; eleven speak four languages. Congratulations to all."),
        Article("tender-12", "2026-09-25", "第12/2026號招標結果", "共收到七份標書；評審結果已上載。"),
        Article("frota", "2026-10-14", "Renovação da frota: 18 veículos eléctricos",
                "Os veículos entram ao serviço até ao fim do ano, com dez novos postos de carregamento."),
    ),
    records=("Tender 12/2026: uniforms", "Tender 15/2026: servers & switches (drop-in replacement)", "招考簡章（第三十屆）",
             "Concurso n.º 7/2026: select, insert and update of records", "FAQ: where do I send C++ source code?"),
)

SITES = (SECRETARY, POLICE, FIRE, SERVICES)
