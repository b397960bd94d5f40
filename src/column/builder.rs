//! One column after the other, as an array or prepared for a sink.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, NullArray};
use arrow::datatypes::{DataType, Int32Type, SchemaRef, UInt32Type};

use super::channel::{self, Decoded};
use super::lexicon::Lexicons;
use super::narrow::How;
use super::problem::{Problem, Problems};
use super::rows::Rows;
use super::{File, Notes, SINGLE, call_type, extra, list, number, text, time};
use crate::decode::{Side, amaflags, disposition};
use crate::options::Options;
use crate::prepared::Prepared;
use crate::schema::{Column, Kind, Pages};

/// One column of a block.
pub enum Values {
    /// As arrow has it.
    Array(ArrayRef),
    /// As a sink may ask for it.
    Prepared(Prepared),
}

impl Values {
    /// As arrow has it.
    pub fn into_array(self) -> ArrayRef {
        match self {
            Values::Array(array) => array,
            Values::Prepared(prepared) => prepared.into_array(),
        }
    }
}

/// Builds the columns of some rows.
pub struct Builder<'a> {
    rows: &'a Rows,
    file: &'a File,
    options: &'a Options,
    /// The types that the columns are built with.
    schema: &'a SchemaRef,
    offsets: Option<&'a time::Offsets>,
    /// What was counted so far.
    pub notes: Notes,
}

impl<'a> Builder<'a> {
    /// The columns of these rows.
    pub fn new(rows: &'a Rows, how: How<'a>) -> Builder<'a> {
        let How { file, options, offsets, schema } = how;
        Builder { rows, file, options, schema, offsets, notes: Notes::default() }
    }

    /// The columns whose values can be bad, and those that are, the ones among them that are known already.
    pub fn checked(&mut self, mut problems: Problems) -> (Vec<(Column, ArrayRef)>, Vec<Problem>) {
        let wanted = &self.options.columns;
        let times: Vec<Column> =
            wanted.iter().copied().filter(|column| column.def().kind == Kind::Time).collect();
        let arrays = time::times(self.rows, self.file, self.offsets, &times, &mut problems, &mut self.notes);
        let mut columns: Vec<(Column, ArrayRef)> = times.into_iter().zip(arrays).collect();
        for &column in wanted {
            if let Some(array) = self.number(column, &mut problems) {
                columns.push((column, array));
            }
        }
        (columns, problems.sorted())
    }

    /// The slots whose texts are looked up, in their order.
    fn looked_up(&self) -> Vec<usize> {
        let is_coded = |column: Column, prepared: bool| match column.def().kind {
            Kind::Dict => true,
            Kind::Text => prepared && column.def().storage().pages == Pages::Dictionary,
            _ => false,
        };
        let columns = self.options.columns.iter().zip(self.schema.fields());
        let coded =
            columns.filter(|(column, field)| is_coded(**column, field.data_type() == &DataType::Null));
        let sources = coded.flat_map(|(column, _)| self.rows.sources(*column).map(|(_, source)| source.slot));
        sources.filter(|slot| !self.is_channel(*slot)).collect::<BTreeSet<usize>>().into_iter().collect()
    }

    /// Channels' names hardly come again.
    fn is_channel(&self, slot: usize) -> bool {
        self.rows
            .layout()
            .readers(slot)
            .any(|(column, _)| matches!(column, Column::Channel | Column::Dstchannel))
    }

    /// A number column, if it is one.
    pub fn number(&self, column: Column, problems: &mut Problems) -> Option<ArrayRef> {
        let rows = self.rows;
        Some(match column {
            Column::Duration | Column::Billsec | Column::Ringsec => {
                number::numbers::<Int32Type>(rows, column, problems, number::seconds)
            }
            Column::Port => number::numbers::<Int32Type>(rows, column, problems, number::plain),
            Column::SubIndex => number::numbers::<UInt32Type>(rows, column, problems, number::plain),
            Column::Nat => number::booleans(rows, column, problems),
            _ => return None,
        })
    }

    /// All wanted columns in order, the checked ones taken from there: arrays, and those that are
    /// asked for as codes.
    pub fn all(
        &mut self,
        mut checked: Vec<(Column, ArrayRef)>,
        lenient: &[Problem],
        lexicons: &mut Lexicons,
    ) -> (Vec<ArrayRef>, Vec<Option<Prepared>>) {
        let mut sides: [Option<Decoded<'a>>; 2] = [None, None];
        let mut arrays = Vec::with_capacity(self.options.columns.len());
        lexicons.look_up_slots(self.rows, &self.looked_up());
        let mut prepared = Vec::new();
        let in_its_place: ArrayRef = Arc::new(NullArray::new(self.rows.len()));
        for (&column, field) in self.options.columns.iter().zip(self.schema.fields()) {
            let as_codes = field.data_type() == &DataType::Null;
            let values = match checked.iter().position(|(done, _)| *done == column) {
                Some(at) => Values::Array(checked.swap_remove(at).1),
                None => self.values(column, as_codes, lenient, &mut sides, lexicons),
            };
            let values = match values {
                Values::Prepared(values) if as_codes => values,
                values => {
                    arrays.push(values.into_array());
                    continue;
                }
            };
            prepared.resize(arrays.len(), None);
            prepared.push(Some(values));
            arrays.push(in_its_place.clone());
        }
        (arrays, prepared)
    }

    /// A column that has the same value in all rows, for all that is known before they are looked at.
    fn same(&self, column: Column, as_codes: bool) -> Option<Values> {
        let rows = self.rows;
        let value = match column {
            Column::Source => Some(&*self.file.name),
            Column::Vendor => Some(rows.layout().format.vendor),
            Column::Format => Some(rows.layout().format.name),
            _ if !as_codes || column == Column::CallType || rows.sources(column).next().is_some() => {
                return None;
            }
            Column::RecordKind => Some(SINGLE),
            _ => None,
        };
        Some(Values::Prepared(Prepared::Same { value: value.map(Arc::from), rows: rows.len() }))
    }

    /// A column whose values cannot be bad.
    pub fn values(
        &mut self,
        column: Column,
        as_codes: bool,
        lenient: &[Problem],
        sides: &mut [Option<Decoded<'a>>; 2],
        lexicons: &mut Lexicons,
    ) -> Values {
        let (rows, ports, plan) = (self.rows, &self.options.ports, &self.options.plan);
        if let Some((side, part)) = channel::part_of(column) {
            let decoded = &mut sides[usize::from(side == Side::Destination)];
            let decoded = decoded.get_or_insert_with(|| Decoded::new(rows, side, ports));
            return decoded.column((column, part), as_codes, lexicons);
        }
        if let Some(same) = self.same(column, as_codes) {
            return same;
        }
        let desk = lexicons.desk(column);
        let array = match column {
            Column::SourceOffset => {
                Arc::new(rows.kept.iter().map(|&row| rows.offset(row) as i64).collect::<Int64Array>())
            }
            Column::Recordfiles => list::files(rows, column),
            Column::Extra => extra::extra(rows, lenient, lexicons),
            _ if column.def().kind == Kind::Text && !as_codes => {
                let (array, damaged) = text::text(rows, column);
                self.notes.add("excel-damaged", damaged);
                array
            }
            _ if column.def().kind == Kind::Text && column.def().storage().pages != Pages::Dictionary => {
                let (plain, damaged) = text::plain(rows, column);
                self.notes.add("excel-damaged", damaged);
                return Values::Prepared(Prepared::Plain(plain));
            }
            _ => {
                return Values::Prepared(Prepared::Coded(match column {
                    Column::RecordKind => text::required_dict(rows, column, desk, SINGLE),
                    Column::CallType => call_type::call_type(rows, ports, desk),
                    Column::DstKind => {
                        text::dict(rows, column, desk, |number| plan.kind(number).map(Cow::Borrowed))
                    }
                    Column::Disposition => text::dict(rows, column, desk, disposition),
                    Column::Amaflags => text::dict(rows, column, desk, amaflags),
                    _ if column.def().kind == Kind::Dict => text::dict(rows, column, desk, text::verbatim),
                    _ => {
                        let (codes, damaged) = text::coded(rows, column, desk);
                        self.notes.add("excel-damaged", damaged);
                        codes
                    }
                }));
            }
        };
        Values::Array(array)
    }
}
