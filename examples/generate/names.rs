//! What people, firms and trunks are called, in many scripts. Two names hold a comma, for a comma within
//! the caller ID must not split it.

#[rustfmt::skip]
pub(crate) const FIRST: [&str; 60] = [
    "Anna", "José", "Zoë", "Łukasz", "Søren", "Maria", "John", "Kristin", "Chloé", "Jürgen", "Emma", "Liam",
    "Ørjan", "Nuño", "Beyza", "Çağla", "David", "Sarah", "Michael", "Inês", "Márta", "Bálint", "Đorđe", "Eva",
    "Tomáš", "Jiří", "Kateřina", "Agnieszka", "Paweł", "Grace", "Noah", "Olivia", "James", "Sofía", "Raúl",
    "Lucía", "Björn", "Åsa", "Käthe", "François", "Hélène", "Jean-Luc", "Giulia", "Niccolò", "Anaïs", "Robert",
    "Linda", "Ștefan", "Ioana", "Þóra", "Peter", "Nguyệt", "Thảo", "Carlos", "Daniel", "Fatima", "Omar", "Wei",
    "Priya", "Mei",
];

#[rustfmt::skip]
pub(crate) const LAST: [&str; 60] = [
    "Smith", "García", "Müller", "O'Brien", "Nowak", "Wójcik", "Jørgensen", "Hale", "Doe", "Test", "Dvořák",
    "Novák", "Kovács", "Szabó", "Nagy", "Fernández", "López", "Muñoz", "Peña", "Gonçalves", "Araújo", "Şahin",
    "Yılmaz", "Öztürk", "Lefèvre", "Moreau", "Dubois", "Johansson", "Åkesson", "Lindström", "Hansen", "Weiß",
    "Schröder", "Groß", "van den Berg", "de Vries", "Rossi", "D'Angelo", "Bianchi", "Popescu", "Ionescu",
    "Nguyễn", "Trần", "Phạm", "Johnson", "Williams", "Brown", "Davis", "Miller", "Wilson", "Moore", "Taylor",
    "Thomas", "Jackson", "Martin", "Lee", "Thompson", "White", "Patel", "Singh",
];

/// One extension in ten or so bears one of these.
#[rustfmt::skip]
pub(crate) const FULL: [&str; 24] = [
    "王小明", "李秀英", "张伟", "佐藤 花子", "鈴木 一郎", "김민수", "박지영", "Иван Петров", "Ольга Смирнова",
    "Дмитрий Іваненко", "Γιώργος Παπαδόπουλος", "Ελένη Νικολάου", "محمد الأحمد", "فاطمة حسن", "דוד כהן",
    "आरव शर्मा", "প্রিয়া দাস", "สมชาย ใจดี", "Doe, John", "Reception, 2nd floor", "GVC Test", "Meeting Room 3",
    "Front Desk", "Fax",
];

#[rustfmt::skip]
pub(crate) const FIRMS: [&str; 30] = [
    "WIRELESS CALLER", "ACME SUPPLY CO", "MÜLLER & SÖHNE", "CITY HOSPITAL", "TOLL FREE CALL", "PHOENIX      AZ",
    "TUCSON       AZ", "FLAGSTAFF    AZ", "LOS ANGELES  CA", "UNAVAILABLE", "DVOŘÁK S.R.O.", "SMITH PLUMBING",
    "ÉLECTRICITÉ NORD", "FIRST BANK", "GRAND HOTEL", "CABLE & PHONE", "TAX OFFICE", "北京贸易公司", "ООО РОМАШКА",
    "東京商事", "O'NEILL GARAGE", "PEÑA ABOGADOS", "STATE INSURANCE", "FREIGHT LINES", "PIZZA EXPRESS",
    "SCHOOL DIST 12", "DENTAL CLINIC", "LAW OFFICES", "V123456789", "ANONYMOUS",
];

/// The last two are analog lines.
#[rustfmt::skip]
pub(crate) const TRUNKS: [&str; 20] = [
    "Telco-North", "Telco-South", "SIP_Main", "SIP_Backup", "Carrier A", "Carrier B", "peer-to-34", "to28.41",
    "CallCenterTrunk", "Mobile GW 1", "Mobile GW 2", "Hotline", "Zürich", "México DF", "Branch-East",
    "Branch-West", "TollFree", "International", "FXO Line 1", "FXO Line 2",
];
